// Follows subscription events with the graphql-ws client: node follow_ws.mjs HOST:PORT TOKEN COUNT. Cuts its connection
// after every third event, resumes after the last cursor seen, and prints the texts in the order they came.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [address, token, count] = process.argv.slice(2);
const query = 'subscription ($after: String) { events(after: $after) { text cursor } }';
const seen = [];
let after = null;
while (seen.length < Number(count)) {
  let socket;
  const client = createClient({
    url: `ws://${address}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
    retryAttempts: 0,
    on: { opened: (opened) => (socket = opened) },
  });
  let here = 0;
  try {
    for await (const { data, errors } of client.iterate({ query, variables: { after } })) {
      if (errors) throw new Error(JSON.stringify(errors));
      seen.push(data.events.text);
      after = data.events.cursor;
      here += 1;
      if (here === 3 || seen.length === Number(count)) socket.terminate();
      if (here === 3 || seen.length === Number(count)) break;
    }
  } catch (error) {
    if (!(error?.code === 1006)) throw error;
  }
  await client.terminate();
}
console.log(JSON.stringify(seen));
process.exit(0);
