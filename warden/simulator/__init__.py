"""A small world to rehearse in: a simulated feed, a mailbox and a webhook receiver on loopback.

Standing in the flow: outside it. The demo and the tests start these as the other side of real
sockets; nothing that serves people imports this room. All data made here is invented and says so.
"""
