"""tally.py - runs unittest's tests and closes with the line `N passed, N failed`."""
import io
import unittest


def run_tests(tests, names=()):
    """All of a module, or of a class, or of that those named; the exit status."""
    loader = unittest.defaultTestLoader
    if names:
        suite = unittest.TestSuite(tests(name) for name in names)
    elif isinstance(tests, type):
        suite = loader.loadTestsFromTestCase(tests)
    else:
        suite = loader.loadTestsFromModule(tests)
    stream = io.StringIO()
    result = unittest.TextTestRunner(stream=stream).run(suite)
    bad = len(result.failures) + len(result.errors)
    print(stream.getvalue())
    print(f'{result.testsRun - bad} passed, {bad} failed')
    return 1 if bad else 0
