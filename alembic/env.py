"""Run migrations on the connection handed in by pipeline.store.migrations."""

from alembic import context

from pipeline.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
