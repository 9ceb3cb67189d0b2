"""What Bosun is compared with: the least that answers a mention, without and with durability."""
