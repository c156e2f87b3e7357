/** The page's line to its own server: the state of the network, the servers' logs, and wishes. */

/**
 * @param {object} listeners
 * @param {(state: any) => void} listeners.network told at first and after each change
 * @param {(entry: any) => void} listeners.request told of each request to any server, again as it goes on
 * @param {() => void} [listeners.lost]
 */
export function listen({ network, request, lost = () => {} }) {
  const events = new EventSource('api/events');
  events.addEventListener('network', ({ data }) => network(JSON.parse(data)));
  events.addEventListener('request', ({ data }) => request(JSON.parse(data)));
  events.addEventListener('error', lost);
}

/**
 * @param {string} method
 * @param {string} path below `api/`
 * @param {object} [body]
 * @throws {Error} with the server's reason
 */
export async function ask(method, path, body) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`api/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error((await response.json()).error);
}

/** The network as the page's server made it, and the page anew. */
export async function startOver() {
  await ask('POST', 'reset');
  location.reload();
}
