"""A PostgreSQL of the lab's own, and Prisma's engine between it and a real LiteLLM. docs/database.md."""
