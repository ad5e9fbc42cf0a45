// Runs the public GraphQL-over-HTTP audit: node audit.mjs URL [TOKEN]. Prints the counts and what is not ok, as JSON.
import { serverAudits } from 'graphql-http';

const [url, token] = process.argv.slice(2);
const fetchFn = (address, options = {}) =>
  fetch(address, token ? { ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } } : options);

const counts = { ok: 0, notice: 0, warn: 0, error: 0 };
const found = [];
for (const { fn } of serverAudits({ url, fetchFn })) {
  const { id, name, status, reason } = await fn();
  counts[status] += 1;
  if (status !== 'ok') found.push(`${id} ${name}: ${reason}`);
}
console.log(JSON.stringify({ ...counts, found }));
