"""A stand-in for a ServiceNow instance: tables, rules, APIs, sign-in, limits, troubles. Nothing it says is real.

Knows nothing of the product, so that a wrong belief cannot agree with itself. It follows public documentation;
what is unverified there is a switch here.
"""
