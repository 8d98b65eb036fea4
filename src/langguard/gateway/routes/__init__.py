"""The HTTP interface: parse, call a service, reply. One module a resource."""
