from langchain.agents import create_agent
from langchain_community.agent_toolkits import SQLDatabaseToolkit
from model import Scripted

from langguard import GuardedSQLDatabase

model = Scripted()
db = GuardedSQLDatabase.from_gateway("shop")
agent = create_agent(model, SQLDatabaseToolkit(db=db, llm=model).get_tools())
answer = agent.invoke({"messages": [("user", "Who is our best customer? Then clean up the orders.")]})
print(answer["messages"][-1].content)
