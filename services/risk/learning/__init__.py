"""Learning from outcomes: inspections with their results become a scorecard, and a scorecard is held against what
happened. A tool beside the service, of which it shares the scorecard alone. docs/learning.md tells the method."""
