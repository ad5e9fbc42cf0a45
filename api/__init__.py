"""Transport: GraphQL over HTTP, server-sent events and websockets, and the pages beside it. No rules of the domain."""
