"""Running one permitted call: the same code in the gateway (custody `gateway`) and the agent's process (`agent`)."""
