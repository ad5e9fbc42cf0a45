// GraphiQL over this server only: fetch for queries and mutations, graphql-transport-ws for subscriptions.
"use strict";

(async () => {
  const tokenNeeded = document.body.dataset.mode === "token";
  const entry = document.getElementById("entry");
  let token = "";

  const authorization = () => (token ? { Authorization: `Bearer ${token}` } : {});

  let socket = null;
  const connect = (headers) =>
    graphqlWs.createClient({
      url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
      connectionParams: { ...authorization(), ...headers },
      lazy: true,
    });

  const isSubscription = (document, name) =>
    (document?.definitions ?? []).some(
      (node) => node.operation === "subscription" && (!name || node.name?.value === name),
    );

  const fetcher = async (params, options = {}) => {
    if (isSubscription(options.documentAST, params.operationName)) {
      socket?.dispose();
      socket = connect(options.headers);
      const stream = socket;
      return { subscribe: (sink) => ({ unsubscribe: stream.subscribe(params, sink) }) };
    }
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", ...authorization(), ...options.headers },
      body: JSON.stringify(params),
    });
    return response.json();
  };

  const examples = await (await fetch("/graphiql/examples.json")).json();
  const chosen = examples.find((example) => example.name === new URLSearchParams(location.search).get("example"));

  // One tab for each kind of reader: the first example of theirs. The others are in the menu.
  const firsts = examples.filter(({ who }, place) => examples.findIndex((other) => other.who === who) === place);

  const show = () =>
    ReactDOM.render(
      React.createElement(GraphiQL, {
        key: token, // another token may see another schema: begin anew
        fetcher,
        ...(tokenNeeded && !token ? { schema: null } : {}), // without a token the schema is not shown
        defaultTabs: firsts.map(({ query }) => ({ query })),
        query: chosen?.query,
        defaultEditorToolsVisibility: false,
        shouldPersistHeaders: false,
        isHeadersEditorEnabled: true,
      }),
      document.getElementById("graphiql"),
    );

  entry.hidden = !tokenNeeded;
  entry.addEventListener("submit", (event) => {
    event.preventDefault();
    token = document.getElementById("token").value.trim();
    show();
  });
  show();
})();
