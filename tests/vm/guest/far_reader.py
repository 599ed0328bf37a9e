"""The other end of the hub's HTTP, in a network namespace of its own.

    far_reader.py ADDRESS PORT TOKEN events.json   follows the live stream for ever, over every break
    far_reader.py ADDRESS PORT TOKEN PATH FILE     one answer into a file
"""
import http.client
import json
import os
import sys
import time

TIMEOUT_S = 20  # the hub pings every 15 s


def ask(address, port, token, path, more=()):
    connection = http.client.HTTPConnection(address, port, timeout=TIMEOUT_S)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}", **dict(more)})
    answer = connection.getresponse()
    if answer.status != 200:
        raise OSError(f"{path}: HTTP {answer.status}")
    return answer


def follow(address, port, token, into):
    state = {"connections": 0, "values": {}}
    last = None

    def keep():
        with open(into + ".new", "w", encoding="utf-8") as file:
            json.dump(state, file)
        os.rename(into + ".new", into)
    keep()
    while True:
        try:
            stream = ask(address, port, token, "/api/v1/events", {"Last-Event-ID": last}.items() if last else ())
            state["connections"] += 1
            event, data = "", []
            for raw in stream:
                line = raw.decode().rstrip("\r\n")
                if line.startswith("event:"):
                    event = line[6:].strip()
                elif line.startswith("data:"):
                    data.append(line[5:].strip())
                elif line.startswith("id:"):
                    last = line[3:].strip()
                elif not line and data:
                    if event in ("snapshot", "values"):
                        for value in json.loads("".join(data))["values"]:
                            state["values"][value["series"]] = value["value"]
                        keep()
                    event, data = "", []
        except (OSError, http.client.HTTPException, ValueError) as error:
            print(f"{time.time():.1f} {error!r}", file=sys.stderr, flush=True)
        time.sleep(0.5)


def main():
    address, port, token, what = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    if not what.startswith("/"):
        follow(address, port, token, what)
    body = ask(address, port, token, what).read()
    with open(sys.argv[5], "wb") as file:
        file.write(body)


if __name__ == "__main__":
    main()
