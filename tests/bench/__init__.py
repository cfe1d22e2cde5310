"""What each stage costs by size: `make bench`, or `python -m tests.bench --sizes 100,1000`."""
