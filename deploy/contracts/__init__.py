"""What services promise each other, as files in `contracts/`: schemas, AsyncAPI, OpenAPI, and what was ever said.

Everything but `history/` and `readers.yaml` is generated: `python -m deploy.contracts write`.
"""
