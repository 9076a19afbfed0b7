"""Notices on their way to people: routes, planning, rendering and channels.

Standing in the flow: `evaluate` asks `plan` who gets which notice; `deliver` renders messages here
and hands them to the channels.
"""
