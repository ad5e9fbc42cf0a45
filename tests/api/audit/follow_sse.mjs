// As follow_ws.mjs, with the graphql-sse client in its distinct connections mode.
import { createClient } from 'graphql-sse';

const [address, token, count] = process.argv.slice(2);
const query = 'subscription ($after: String) { events(after: $after) { text cursor } }';
const seen = [];
let after = null;
while (seen.length < Number(count)) {
  const client = createClient({
    url: `http://${address}/graphql`,
    headers: { Authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
  let here = 0;
  for await (const { data, errors } of client.iterate({ query, variables: { after } })) {
    if (errors) throw new Error(JSON.stringify(errors));
    seen.push(data.events.text);
    after = data.events.cursor;
    here += 1;
    if (here === 3 || seen.length === Number(count)) break;
  }
  client.dispose();
}
console.log(JSON.stringify(seen));
process.exit(0);
