/**
 * The weighted draw of RFC 2782. In: things with weights. Out: some of them in the order they were drawn.
 * Pure but for the `random` it is given; never returns one thing twice.
 */

/**
 * Draws up to `count` of `things` without putting back, each with a chance in proportion to its weight.
 *
 * @param things  any order; a weight is a whole number, 0 or more
 * @param random  0 <= n < 1
 * @see RFC 2782, "Weight": records of weight 0 stand first in the running sum, and so have "a very small chance" when
 *      others have weight; when all are 0, all chances are equal
 */
export function draw<T extends { readonly weight: number }>(
  things: readonly T[],
  count: number,
  random: () => number,
): T[] {
  const left = [...things].sort((a, b) => (a.weight === 0 ? 0 : 1) - (b.weight === 0 ? 0 : 1));
  const drawn: T[] = [];
  while (left.length > 0 && drawn.length < count) {
    const total = left.reduce((sum, thing) => sum + thing.weight, 0);
    const index =
      total === 0 ? Math.floor(random() * left.length) : runningSum(left, Math.floor(random() * (total + 1)));
    drawn.push(...left.splice(index, 1));
  }
  return drawn;
}

function runningSum(things: readonly { readonly weight: number }[], mark: number): number {
  let sum = 0;
  const index = things.findIndex((thing) => (sum += thing.weight) >= mark);
  return index < 0 ? things.length - 1 : index;
}
