"""Damages a store in many ways and says, with Python's own SQLite, what is left of it.

    store_cases.py FOLDER       a line for each case: EDITS EXPECTED, with tabs between

FOLDER/0, FOLDER/1, ... hold retailpulse.db and its -wal as they were after each commit; the last one is damaged. An edit is
"db:OFFSET:HEX" (bytes written there) or "wal:cut:SIZE". EXPECTED is "commit K" when the damaged file is whole and holds what
commit K held; "damaged" when SQLite's integrity check or its reading fails; "changed" when it is a whole file of something else,
which SQLite cannot notice: its pages bear no checksum.
"""
import os
import random
import shutil
import sqlite3
import struct
import sys
import tempfile

FOLDER = sys.argv[1]
FILES = {"db": "retailpulse.db", "wal": "retailpulse.db-wal"}
commits = sorted(os.listdir(FOLDER), key=int)
whole = {name: open(f"{FOLDER}/{commits[-1]}/{file}", "rb").read() for name, file in FILES.items()}
dice = random.Random(20)


def content(folder):
    """All rows of all tables, or None when SQLite finds a fault."""
    try:
        db = sqlite3.connect(f"{folder}/retailpulse.db")
        db.text_factory = bytes
        try:
            if db.execute("PRAGMA integrity_check").fetchall() != [(b"ok",)]:
                return None
            tables = [row[0].decode() for row in db.execute("SELECT name FROM sqlite_schema WHERE type='table' ORDER BY 1")]
            head = [db.execute(f"PRAGMA {p}").fetchone() for p in ("application_id", "user_version")]
            return head + [(table, sorted(map(repr, db.execute(f"SELECT * FROM {table}")))) for table in tables]
        finally:
            db.close()
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def copy_of(folder, edits=()):
    place = tempfile.mkdtemp(prefix="retailpulse-image-")
    for name, file in FILES.items():
        data = bytearray(open(f"{folder}/{file}", "rb").read())
        for which, at, what in edits:
            if which == name and at == "cut":
                del data[what:]
            elif which == name:
                data[at:at + len(what)] = what
        with open(f"{place}/{file}", "wb") as out:
            out.write(data)
    return place


def judged(folder, edits=()):
    place = copy_of(folder, edits)
    try:
        return content(place)
    finally:
        shutil.rmtree(place)


def flip(which, at, mask=None):
    return (which, at, bytes([whole[which][at] ^ (mask or dice.randrange(1, 256))]))


def cases():
    frame, first = 24 + struct.unpack(">I", whole["wal"][8:12])[0], 32
    frames = (len(whole["wal"]) - first) // frame
    for at in range(32):  # the WAL's header
        yield [flip("wal", at)]
    for n in range(frames):  # each frame's header and page, and a WAL that ends in it
        yield [flip("wal", first + n * frame + dice.randrange(24))]
        yield [flip("wal", first + n * frame + 24 + dice.randrange(frame - 24))]
        for size in (0, 1, 23, 24, 25, frame - 1):
            yield [("wal", "cut", first + n * frame + size)]
    for size in (0, 1, 31, 32):
        yield [("wal", "cut", size)]
    for a in range(0, frames - 1, 7):  # frames in another order
        other = whole["wal"][first + (a + 1) * frame:first + (a + 2) * frame]
        yield [("wal", first + a * frame, other)]
    yield [("wal", 0, bytes(len(whole["wal"])))]
    for at in range(100):  # the file's header
        yield [flip("db", at)]
    yield [("db", 68, struct.pack(">I", 1)), ("wal", "cut", 0)]
    yield [("db", 60, struct.pack(">I", 99)), ("wal", "cut", 0)]
    pages = len(whole["db"]) // 4096
    for n in range(pages):  # each page: its header, one byte of it, all of it, and a file that ends in it; as if no WAL were there
        for edit in (flip("db", n * 4096 + dice.randrange(12)), flip("db", n * 4096 + dice.randrange(4096)), ("db", n * 4096, bytes(4096)),
                     ("db", "cut", n * 4096 + dice.choice([0, 1, 4095]))):
            yield [edit, ("wal", "cut", 0)]
    for data in (b"", b"\0", b"SQLite format 3\0", b"{}", bytes(4096), os.urandom(0) + bytes(range(256)) * 64):
        yield [("db", "cut", 0), ("db", 0, data), ("wal", "cut", 0)]
        yield [("db", "cut", 0), ("db", 0, data)]
    while True:  # several at once
        yield [flip(which, dice.randrange(len(whole[which]))) for which in dice.choices(["db", "wal"], k=dice.randrange(2, 6))]


def main():
    states = [judged(f"{FOLDER}/{commit}") for commit in commits]
    assert None not in states
    for n, edits in enumerate(cases()):
        left = judged(f"{FOLDER}/{commits[-1]}", edits)
        verdict = "damaged" if left is None else f"commit {states.index(left)}" if left in states else "changed"
        print(" ".join(f"{which}:{at}:{what if at == 'cut' else what.hex()}" for which, at, what in edits), verdict, sep="\t")
        if n >= 520 and len(edits) > 1 and edits[-1][1] != "cut" and edits[0][1] != "cut":
            return


if __name__ == "__main__":
    main()
