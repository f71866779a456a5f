# SPDX-License-Identifier: BSD-3-Clause
"""Which case is next for a worker: one for the pair that it has, so that few pairs are started."""

# A shared pair that fewer cases want is not worth beginning with.
LARGE = 3


class Schedule:
    """The cases that are not begun yet, in groups: those that share a pair, and those that have a
    lab of their own or none (under None)."""

    def __init__(self, cases):
        self.groups = {}
        for case in cases:
            self.groups.setdefault(case.needs and case.needs.name, []).append(case)

    def next(self, has, others):
        """The next case for a worker whose pair is for the group `has`, while others have pairs for
        the groups `others`. None: there is no more."""
        waiting = [name for name, cases in self.groups.items() if cases]
        if has is None or has not in waiting:
            waiting.sort(key=lambda name: (self._rank(name, others), -len(self.groups[name])))
            has = waiting[0] if waiting else None
        return self.groups[has].pop(0) if waiting else None

    def _rank(self, name, others):
        """Large groups that nobody is at, then cases without a pair, then small ones; then help."""
        if name is None:
            return 1
        if name in others:
            return 3
        return 0 if len(self.groups[name]) >= LARGE else 2
