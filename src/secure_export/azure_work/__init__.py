"""What the running service, and ``azure missed``, do in Azure: catch up on what was missed, and tell what people did.

Here the Azure side meets the way into the service and the store; the rooms themselves do not know each other.
"""
