"""Verifies a ledger without its server: the twin of verify-ledger.mjs in Python's standard library (3.9 or later).

    python3 verify_ledger.py log DIR KEY                 the folder's hashes make up the tree that its checkpoint signs
    python3 verify_ledger.py entry FILE KEY              an entry's bytes stand in the tree that the checkpoint beside them signs
    python3 verify_ledger.py consistency NOTE DIR KEY    the tree of an older checkpoint is the beginning of the folder's

KEY is the text you were handed when the log began (name+id+key), never one that came with the data.
Prints one line and ends with 0 (OK), 1 (BROKEN) or 2 (the call is wrong). It was written from the specifications
(RFC 6962, RFC 8032, C2SP signed-note, tlog-checkpoint, tlog-tiles), not from its twin: where they disagree, look closely.
"""
import base64
import binascii
import hashlib
import json
import os
import re
import sys

WIDTH = 256
HASH = 32
MAX_SIGNATURES = 32
# A name is printable ASCII without space and plus sign.
NAME = "[!-*,-~]+"


class Broken(Exception):
    """The data does not hold."""


class WrongCall(Exception):
    """Nothing could be checked."""


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(data):
    return sha256(b"\x00" + data)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


# Ed25519 (RFC 8032, section 5.1): verification only, so nothing here is secret and nothing has to take constant time.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P != 0:
        return None
    return P - x if (x & 1) != sign else x


def add(one, other):
    """Extended coordinates (X, Y, Z, T)."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def same_point(one, other):
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (one[1] * other[2] - other[1] * one[2]) % P == 0


def is_small_order(point):
    """Under such a key, or with such a commitment, one signature fits many texts."""
    return same_point(multiply(8, point), (0, 1, 1, 0))


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def signature_holds(public_key, message, signature):
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, commitment = decompress(public_key), decompress(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= L or is_small_order(key) or is_small_order(commitment):
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % L
    return same_point(multiply(scalar, BASE), add(commitment, multiply(challenge, key)))


def from_base64(text):
    """The bytes, or None for text that is not the one way to write them."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None


def read_key(text):
    match = re.fullmatch("(" + NAME + r")\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})", text)
    data = from_base64(match.group(3)) if match else None
    if data is None or data[0] != 1:
        raise WrongCall("KEY is no Ed25519 key of a log")
    key_id = sha256(match.group(1).encode() + b"\n" + data)[:4]
    if key_id.hex() != match.group(2):
        raise WrongCall("KEY does not match its id")
    point = decompress(data[1:])
    if point is None or is_small_order(point):
        raise WrongCall("KEY is no key that anybody could sign with alone")
    return match.group(1), key_id, data[1:]


def read_checkpoint(note, key):
    """The size and root that a note signs."""
    name, key_id, public_key = key
    end = note.rfind("\n\n")
    if end < 0 or not note.endswith("\n") or re.search("[\x00-\x09\x0b-\x1f\ud800-\udfff]", note):
        raise Broken("the checkpoint is no signed note")
    text = note[:end + 1]
    lines = note[end + 2:-1].split("\n")
    signed = False
    for line in lines:
        match = re.fullmatch("\u2014 (" + NAME + ") ([A-Za-z0-9+/=]+)", line)
        data = from_base64(match.group(2)) if match else None
        if data is None or len(lines) > MAX_SIGNATURES:
            raise Broken("the checkpoint is no signed note")
        if match.group(1) == name and data[:4] == key_id and signature_holds(public_key, text.encode(), data[4:]):
            signed = True
    if not signed:
        raise Broken("the checkpoint is not signed by the key")
    match = re.fullmatch(r"([^\n]+)\n(0|[1-9][0-9]{0,14})\n([A-Za-z0-9+/]{43}=)\n", text)
    root = from_base64(match.group(3)) if match else None
    if root is None:
        raise Broken("the note is no checkpoint")
    if match.group(1) != name:
        raise Broken("the checkpoint is that of another log")
    return int(match.group(2)), root


def root_of(hashes):
    """The tree hash over a list of hashes: pairs from the left, an odd one moves up as it is."""
    if not hashes:
        return sha256(b"")
    while len(hashes) > 1:
        above = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes) - 1, 2)]
        if len(hashes) % 2 == 1:
            above.append(hashes[-1])
        hashes = above
    return hashes[0]


def path_of(level, index, width):
    digits = str(index)
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    groups = [digits[at:at + 3] for at in range(0, len(digits), 3)]
    place = ["x" + group for group in groups[:-1]] + [groups[-1]]
    return "/".join(["tile", str(level)] + place) + ("" if width == WIDTH else ".p/%d" % width)


def read_tile(folder, path):
    try:
        with open(os.path.join(folder, path), "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise Broken("%s is missing" % path) from None
    except OSError:
        raise Broken("%s cannot be read" % path) from None


def read_level(folder, level, count):
    hashes = []
    for index in range((count + WIDTH - 1) // WIDTH):
        width = min(WIDTH, count - index * WIDTH)
        path = path_of(level, index, width)
        tile = read_tile(folder, path)
        if len(tile) != width * HASH:
            raise Broken("%s has %d bytes instead of %d" % (path, len(tile), width * HASH))
        hashes.extend(tile[at:at + HASH] for at in range(0, len(tile), HASH))
    return hashes


def read_tree(folder, size):
    """The leaf hashes of the folder, once every tile above them was found to follow from them."""
    leaves = below = read_level(folder, 0, size)
    level = 1
    while len(below) >= WIDTH:
        stored = read_level(folder, level, len(below) // WIDTH)
        for index, hash_above in enumerate(stored):
            if root_of(below[index * WIDTH:(index + 1) * WIDTH]) != hash_above:
                raise Broken("tile level %d: hash %d does not follow from the tile below it" % (level, index))
        below = stored
        level += 1
    return leaves


def check_bundles(folder, leaves):
    if not os.path.exists(os.path.join(folder, "tile", "entries")):
        return 0
    for index in range((len(leaves) + WIDTH - 1) // WIDTH):
        width = min(WIDTH, len(leaves) - index * WIDTH)
        path = path_of("entries", index, width)
        bundle = read_tile(folder, path)
        at = 0
        for place in range(index * WIDTH, index * WIDTH + width):
            length = int.from_bytes(bundle[at:at + 2], "big")
            if at + 2 > len(bundle) or at + 2 + length > len(bundle):
                raise Broken("%s ends within an entry" % path)
            if leaf_hash(bundle[at + 2:at + 2 + length]) != leaves[place]:
                raise Broken("entry %d is not the one that was logged" % place)
            at += 2 + length
        if at != len(bundle):
            raise Broken("%s holds more than its entries" % path)
    return len(leaves)


def root_from(data, index, size, path):
    """The root from a leaf's hash and its path; None where the path has the wrong length."""
    if size == 1:
        return data if not path else None
    if not path:
        return None
    split = 1 << ((size - 1).bit_length() - 1)
    if index < split:
        inner = root_from(data, index, split, path[:-1])
        return None if inner is None else node_hash(inner, path[-1])
    inner = root_from(data, index - split, size - split, path[:-1])
    return None if inner is None else node_hash(path[-1], inner)


def read_text(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError:
        raise Broken("%s is no UTF-8 text" % path) from None
    except OSError as error:
        raise WrongCall("%s cannot be read (%s)" % (path, error.strerror)) from None


def no_constant(name):
    raise ValueError(name)


def whole(value):
    """A whole number, however it is written; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and abs(value) < 2**53 else None


def read_proof(text):
    """The five fields of a proof, and nothing else."""
    try:
        given = json.loads(text, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Broken("the file is no JSON") from None
    if not isinstance(given, dict) or sorted(given) != ["index", "leaf", "note", "proof", "size"]:
        raise Broken("the file is no proof")
    given["index"], given["size"] = whole(given["index"]), whole(given["size"])
    strings = isinstance(given["proof"], list) and all(isinstance(value, str) for value in [given["leaf"], given["note"]] + given["proof"])
    if not strings or given["index"] is None or given["size"] is None:
        raise Broken("the file is no proof")
    return given


def log(folder, key_text):
    size, root = read_checkpoint(read_text(os.path.join(folder, "checkpoint")), read_key(key_text))
    leaves = read_tree(folder, size)
    if root_of(leaves) != root:
        raise Broken("the hashes do not make up the root that the checkpoint signs")
    entries = check_bundles(folder, leaves)
    return "%d entries under one signed root%s" % (size, ", %d of them read" % entries if entries else "")


def entry(file, key_text):
    key = read_key(key_text)
    given = read_proof(read_text(file))
    index, size = given["index"], given["size"]
    signed_size, signed_root = read_checkpoint(given["note"], key)
    if signed_size != size or not 0 <= index < size:
        raise Broken("the proof is not for the tree of its checkpoint")
    hashes = [from_base64(text) for text in given["proof"]]
    if any(data is None or len(data) != HASH for data in hashes):
        raise Broken("the proof holds what is no hash")
    leaf = from_base64(given["leaf"])
    if leaf is None or root_from(leaf_hash(leaf), index, size, hashes) != signed_root:
        raise Broken("the entry is not in the tree that the checkpoint signs")
    # One line of ASCII, so that no entry can write a verdict of its own.
    return "entry %d of %d: %s" % (index, size, json.dumps(leaf.decode("utf-8", "replace")))


def consistency(note_file, folder, key_text):
    key = read_key(key_text)
    older_size, older_root = read_checkpoint(read_text(note_file), key)
    size, root = read_checkpoint(read_text(os.path.join(folder, "checkpoint")), key)
    if older_size == 0:
        raise Broken("the older checkpoint is that of an empty log, with which every log begins")
    if older_size > size:
        raise Broken("the log has shrunk from %d to %d entries" % (older_size, size))
    leaves = read_tree(folder, size)
    if root_of(leaves) != root:
        raise Broken("the hashes do not make up the root that the checkpoint signs")
    if root_of(leaves[:older_size]) != older_root:
        raise Broken("the first %d entries are not those that the older checkpoint signs" % older_size)
    return "the first %d of %d entries are as they were" % (older_size, size)


COMMANDS = {"log": (log, 2), "entry": (entry, 2), "consistency": (consistency, 3)}


def main(arguments):
    command, count = COMMANDS.get(arguments[0] if arguments else "", (None, 0))
    if command is None or len(arguments) - 1 != count:
        print("\n".join(line.strip() for line in __doc__.splitlines() if line.startswith("    ")), file=sys.stderr)
        return 2
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        print("OK: " + command(*arguments[1:]))
        return 0
    except Broken as error:
        print("BROKEN: %s" % error)
        return 1
    except WrongCall as error:
        print("NOT CHECKED: %s" % error)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
