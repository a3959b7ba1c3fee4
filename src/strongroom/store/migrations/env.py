"""Alembic's environment: migrations run on the connection that ``migrate.upgrade`` passes, in its transaction."""

from alembic import context

from strongroom.store.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    version_table_schema=context.config.attributes["schemas"].get(VERSION_TABLE),
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
