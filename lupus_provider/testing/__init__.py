"""Public test material: laws, builders and fakes, for us and for other people's metrics, detectors and stores."""
