/** Rules bend single requests of an edge: which of them holds for a request, and how often yet. */

/** @typedef {import('./description.js').RuleDescription} RuleDescription */

/** What a rule says of a request that none matches. @type {RuleDescription} */
const NO_RULE = {};

export class Rules {
  #rules;

  /** @param {RuleDescription[]} rules */
  constructor(rules) {
    this.#rules = rules.map((rule) => ({
      rule,
      path: new RegExp(rule.path ?? ''),
      method: new RegExp(`^(?:${rule.method ?? (rule.options ? 'OPTIONS' : '.*')})$`),
      timesLeft: rule.times ?? Infinity,
    }));
  }

  /**
   * Finds the rule for a request and counts it as used.
   *
   * @param {string} method
   * @param {string} path
   * @param {(name: string) => string | undefined} header
   * @returns {RuleDescription}
   */
  take(method, path, header) {
    const isRanged = header('range') !== undefined;
    const found = this.#rules.find(
      (each) =>
        each.timesLeft > 0 &&
        each.method.test(method) &&
        each.path.test(path) &&
        (each.rule.ranged ?? isRanged) === isRanged &&
        (each.rule.lacks === undefined || header(each.rule.lacks) === undefined),
    );
    if (!found) return NO_RULE;
    found.timesLeft -= 1;
    return found.rule;
  }
}
