from langchain.agents import create_agent
from langchain_community.agent_toolkits import SQLDatabaseToolkit
from langchain_community.utilities import SQLDatabase
from model import Scripted

model = Scripted()
db = SQLDatabase.from_uri("sqlite:///shop.db")
agent = create_agent(model, SQLDatabaseToolkit(db=db, llm=model).get_tools())
answer = agent.invoke({"messages": [("user", "Who is our best customer? Then clean up the orders.")]})
print(answer["messages"][-1].content)
