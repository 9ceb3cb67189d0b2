"""Tools of MCP servers: asking the servers, holding what nobody has reviewed, calling what was accepted."""
