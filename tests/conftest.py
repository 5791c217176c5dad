"""What holds for all tests: no deadline for an example of a property test.

A machine that does other work at the same time would break it, and nothing else. Tests that are
about time measure the thread's own.
"""

from hypothesis import HealthCheck, settings

settings.register_profile("hashrange", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hashrange")
