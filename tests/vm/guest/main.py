"""Runs the parts of the test bed side by side, each in a process of its own, and reports on the serial line.

Lines: "plan N PART", "ok PART test (seconds)", "FAILED PART test: reason", "end".
"""
import os
import signal
import sys
import traceback

import bed

PARTS = ["can", "bluetooth", "serial", "network", "wifi"]
SANITIZED = ["can", "bluetooth"]  # once more with the program that was built with sanitizers


def run(name, program, label):
    """In the child."""
    part = __import__(f"{name}_part")
    os.makedirs(f"/run/bed/{label}", exist_ok=True)
    os.chdir(f"/run/bed/{label}")
    bed.enter(label, program)
    signal.signal(signal.SIGTERM, lambda *_: bed.hurry())
    tests = part.TESTS
    bed.say(f"plan {len(tests)} {label}")
    for test in tests:
        started = bed.now()
        try:
            test()
            bed.say(f"ok {label} {test.__name__} ({bed.now() - started:.1f} s)")
        except Exception as error:  # noqa: BLE001  whatever it was, the others go on
            with open("failures.log", "a", encoding="utf-8") as log:
                traceback.print_exc(file=log)
            reason = str(error).replace("\n", " | ")[:600] or repr(error)
            bed.say(f"FAILED {label} {test.__name__} ({bed.now() - started:.1f} s): {reason}")
    for problem in bed.leave():
        bed.say(f"FAILED {label} end: {problem}")


def round_of(parts, deadline):
    """Parts that are not done at the deadline give up on what they wait for, so that their logs can be kept."""
    children = {}
    for name, program, label in parts:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                run(name, program, label)
                status = 0
            except BaseException:  # noqa: BLE001  what happens before the first test
                traceback.print_exc()
            finally:
                os.system(f"cp -r /run/bed/{label} /run/logs/")
                os._exit(status)
        children[child] = label
    signal.signal(signal.SIGALRM, lambda *_: [os.kill(child, signal.SIGTERM) for child in children])
    signal.setitimer(signal.ITIMER_REAL, max(0.1, deadline - bed.now()), 1)
    while children:
        child, status = os.wait()
        label = children.pop(child, None)
        if label is not None and status != 0:
            bed.say(f"plan 1 {label}")
            bed.say(f"FAILED {label} start: see errors.log")
    signal.setitimer(signal.ITIMER_REAL, 0)


def main():
    bed.say(f"boot {bed.now():.1f} s since the kernel")
    wanted = os.environ.get("VESTA_PARTS", "").split() or PARTS
    plain, sanitized = os.environ["VESTA"], os.environ["VESTA_SANITIZED"]
    deadline = float(os.environ["VESTA_VM_LIMIT_S"]) - 15  # power off takes its time, too
    round_of([(name, plain, name) for name in PARTS if name in wanted], deadline)
    if sanitized != "-":
        round_of([(name, sanitized, f"{name}-sanitized") for name in SANITIZED if name in wanted], deadline)
    bed.say(f"done {bed.now():.1f} s since the kernel")
    bed.say("end")


if __name__ == "__main__":
    sys.exit(main())
