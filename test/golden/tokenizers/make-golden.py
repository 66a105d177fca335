"""Makes the golden files of this folder with the reference: the Python package `tokenizers` (here 0.23).

    python3 make-golden.py train <data sets>    trains the small tokenizers *.tokenizer.json; `npm run fix` formats them
    python3 make-golden.py hash <data sets>     writes *.bin, one hash for each text or pair of texts

The texts come from two places. `synthetic.json` describes made-up ones, which golden-texts.ts makes in the same way; they are always tested. The others are lines of public data sets, named in `corpora.json`, which are not part of this
repository; only hashes of their ids are. Vocabularies are trained on the sets whose licence is open.
"""

import json
import pathlib
import struct
import sys

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
MAX_TOKENS, OVERLAP, MAX_WINDOWS = 24, 6, 3
BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
FAIRSEQ_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def read_lines(path):
    return [line for line in path.read_bytes().decode("utf-8").split("\n") if line != ""]


def read_corpora(data, only_open=False):
    lines = []
    for corpus in json.loads((HERE / "corpora.json").read_text("utf-8")):
        if only_open and not corpus["open"]:
            continue
        lines += read_lines(data / corpus["file"])[:: corpus["every"]]
    return lines


class Random:
    """Xorshift with 32 bits (George Marsaglia, 2003)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, end):
        x = self.state
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self.state = x
        return x % end


def make_synthetic():
    plan = json.loads((HERE / "synthetic.json").read_text("utf-8"))
    random = Random(plan["seed"])

    def piece():
        pool = plan["pools"][random.below(len(plan["pools"]))]
        if "items" in pool:
            text = pool["items"][random.below(len(pool["items"]))]
        else:
            first, last = pool["range"]
            text = "".join(chr(first + random.below(last - first + 1)) for _ in range(1 + random.below(3)))
        return text * (2 + random.below(120)) if random.below(60) == 0 else text

    def text():
        parts = []
        for _ in range(random.below(plan["maxPieces"] + 1)):
            parts.append(piece())
            if random.below(5) < 3:
                parts.append(plan["blanks"][random.below(len(plan["blanks"]))])
        return "".join(parts)

    return [text() for _ in range(plan["count"])]


def hash_numbers(numbers):
    """FNV-1a in 32 bits over whole numbers instead of bytes."""
    value = 0x811C9DC5
    for number in numbers:
        value = ((value ^ (number & 0xFFFFFFFF)) * 0x01000193) & 0xFFFFFFFF
    return value


def hash_texts(spec, texts):
    """Every text alone, whole and in windows; then every second one together with the one after it."""
    whole, windowed, paired = (Tokenizer.from_str(spec) for _ in range(3))
    for tokenizer in (whole, windowed, paired):
        tokenizer.no_padding()
        tokenizer.no_truncation()
    windowed.enable_truncation(MAX_TOKENS, stride=OVERLAP)
    paired.enable_truncation(MAX_TOKENS)
    hashes = []
    for at in range(0, len(texts), 500):
        batch = texts[at : at + 500]
        for full, cut in zip(whole.encode_batch(batch), windowed.encode_batch(batch)):
            windows = [cut, *cut.overflowing]
            numbers = list(full.ids)
            for window in windows[:MAX_WINDOWS]:
                numbers += [-1, *window.ids]
            numbers.append(1 if len(windows) > MAX_WINDOWS else 0)
            hashes.append(hash_numbers(numbers))
    pairs = [(texts[i], texts[i + 1]) for i in range(0, len(texts) - 1, 2)]
    for full, cut in zip(whole.encode_batch(pairs), paired.encode_batch(pairs)):
        second = cut.type_ids.index(1) if 1 in cut.type_ids else len(cut.ids)
        hashes.append(hash_numbers([*cut.ids, -1, second, 1 if len(full.ids) > MAX_TOKENS else 0]))
    return struct.pack(f"<{len(hashes)}I", *hashes)


def bert(lines, size, alphabet, post, **normalizer):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(**normalizer)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(
        lines,
        trainers.WordPieceTrainer(
            vocab_size=size, limit_alphabet=alphabet, special_tokens=BERT_SPECIAL, show_progress=False
        ),
    )
    if post == "bert":
        tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    else:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
        )
    return tokenizer


def byte_bpe(lines):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        lines,
        trainers.BpeTrainer(
            vocab_size=4000,
            special_tokens=FAIRSEQ_SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def unigram(lines):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(
        lines,
        trainers.UnigramTrainer(
            vocab_size=4000, special_tokens=FAIRSEQ_SPECIAL, unk_token="<unk>", show_progress=False
        ),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def is_chinese(line):
    return any("\u4e00" <= character <= "\u9fff" for character in line)


def train(data):
    lines = read_corpora(data, only_open=True)
    chinese = [line for line in lines if is_chinese(line)]
    english = [line for line in lines if not is_chinese(line)]
    accents = ["ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ żółć ŐŰőű Ελληνικά Русский язык 한국어 שלום سلام ไทย हिन्दी"] * 20
    made = {
        "bert-uncased": bert([*english, *accents], 6000, 400, "template"),
        "bert-chinese": bert([*chinese, *english[::8]], 7000, 5000, "bert"),
        "bert-cased": bert([*english, *accents], 4000, 400, "template", lowercase=False, strip_accents=False),
        "byte-bpe": byte_bpe([*english, *chinese[::4], *accents]),
        "unigram": unigram([*english, *chinese[::4], *accents]),
    }
    for name, tokenizer in made.items():
        spec = json.loads(tokenizer.to_str())
        (HERE / f"{name}.tokenizer.json").write_text(
            json.dumps(spec, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8"
        )


def thin(spec, texts):
    """All texts for WordPiece; every fifth two for the others, which are slower."""
    return texts if spec["model"]["type"] == "WordPiece" else [t for i, t in enumerate(texts) if i // 2 % 5 == 0]


def write_hashes(data):
    """Of every tokenizer file, and for the made-up texts of the variants that `variants.json` describes."""
    synthetic, lines = make_synthetic(), read_corpora(data)
    specs = {}
    for path in sorted(HERE.glob("*.tokenizer.json")):
        name = path.name.removesuffix(".tokenizer.json")
        specs[name] = json.loads(path.read_text("utf-8"))
        (HERE / f"{name}.data.bin").write_bytes(hash_texts(json.dumps(specs[name]), thin(specs[name], lines)))
    for variant in json.loads((HERE / "variants.json").read_text("utf-8")):
        spec = specs[variant["of"]]
        specs[variant["name"]] = {**spec, **variant["parts"]}
    for name, spec in specs.items():
        (HERE / f"{name}.synthetic.bin").write_bytes(hash_texts(json.dumps(spec), thin(spec, synthetic)))
    print(len(synthetic), "made-up texts,", len(lines), "lines of data sets")


if __name__ == "__main__":
    {"train": train, "hash": write_hashes}[sys.argv[1]](pathlib.Path(sys.argv[2]))
