"""What `langguard demo` needs: a shop, a database to put it in, an analyst that asks it questions, a search for leaks.

Nothing is imported here: only the demo pays for LangChain and psycopg.
"""
