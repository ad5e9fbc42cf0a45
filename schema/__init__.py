"""The GraphQL API: types say what they read, mutations hand commands to the one door for writes."""

from __future__ import annotations

import graphene

from schema.costs import put_costs
from schema.errors import ERROR_TYPES
from schema.events import Event
from schema.mutations import Mutation
from schema.programmes import Checkpoint, Transition
from schema.queries import Query
from schema.reviews import ReviewItem
from schema.subscriptions import Subscription

SCHEMA = graphene.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[*ERROR_TYPES, Event, Transition, Checkpoint, ReviewItem],
)
put_costs(SCHEMA.graphql_schema)
