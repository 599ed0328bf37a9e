"""Runs the parts of the test bed side by side, each in a process of its own, and reports on the serial line.

Lines: "plan N PART", "ok PART test (seconds)", "FAILED PART test: reason", "slow TIMES" (the guest, now), "end".
"""
import os
import signal
import sys
import traceback
import tty

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


def start_part(name, program, label):
    """The child that does it."""
    child = os.fork()
    if child != 0:
        return child
    status = 1
    try:
        run(name, program, label)
        status = 0
    except BaseException:  # noqa: BLE001  what happens before the first test
        traceback.print_exc()
    finally:
        os.system(f"cp -r /run/bed/{label} /run/logs/")
        os._exit(status)


def run_chains(chains, limit_s):
    """Chains go side by side, the parts of a chain one after the other. Parts that are not done at the deadline give up
    on what they wait for, so that their logs can be kept."""
    children = {}
    said = 1.0

    def start_next(chain):
        if chain:
            children[start_part(*chain[0])] = (chain[0][2], chain[1:])

    def deadline(*_):
        nonlocal said
        said = max(said, bed.slowness())
        bed.say(f"slow {said:.1f}")
        left = limit_s * said - bed.now()
        if left > 1:
            signal.setitimer(signal.ITIMER_REAL, left)
            return
        signal.setitimer(signal.ITIMER_REAL, 2)
        for child in children:
            os.kill(child, signal.SIGTERM)
    signal.signal(signal.SIGALRM, deadline)
    signal.setitimer(signal.ITIMER_REAL, max(0.1, limit_s - bed.now()))
    for chain in chains:
        start_next(chain)
    while children:
        child, status = os.wait()
        label, rest = children.pop(child, (None, []))
        if label is not None and status != 0:
            bed.say(f"plan 1 {label}")
            bed.say(f"FAILED {label} start: see errors.log")
        start_next(rest)
    signal.setitimer(signal.ITIMER_REAL, 0)


def main():
    tty.setraw(1)  # a serial line makes two characters of each line's end else
    bed.say(f"boot {bed.now():.1f} s since the kernel")
    bed.say(f"slow {bed.slowness():.1f}")
    wanted = os.environ.get("VESTA_PARTS", "").split() or PARTS
    plain, sanitized = os.environ["VESTA"], os.environ["VESTA_SANITIZED"]
    chains = []
    for name in PARTS:
        if name in wanted:
            chain = [(name, plain, name)]
            if sanitized != "-" and name in SANITIZED:
                chain.append((name, sanitized, f"{name}-sanitized"))
            chains.append(chain)
    run_chains(chains, float(os.environ["VESTA_VM_LIMIT_S"]) - 15)  # power off takes its time, too
    bed.say(f"done {bed.now():.1f} s since the kernel")
    bed.say("end")


if __name__ == "__main__":
    sys.exit(main())
