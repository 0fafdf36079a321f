"""Decisions become acts: gate, executor, journal, caller, recovery, report."""
