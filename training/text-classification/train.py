"""Fine-tunes a small BERT encoder on the English part of the sentiment mix.

Reads the JSON lines that prepare.ts wrote and a base encoder in Hugging Face form, and writes the model in the same form
(config.json, model.safetensors, tokenizer.json, tokenizer_config.json), with a record of the run in training.json. Of the
moving averages after each epoch the one that does best on the validation texts is written. Runs on processors; nothing
of it is needed to serve or test the product.
"""

import argparse
import json
import os
import random
import shutil
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn

LABELS = ["negative", "positive"]

# How often a text of a source is seen per epoch, and how much it counts. Carefully written and small sets count more,
# large and easy ones less, so that none drowns the others.
SOURCES = {
    "sentence_polarity": {"share": 1.0, "weight": 2.0},
    "goemotions": {"share": 1.0, "weight": 1.0},
    "product_reviews": {"share": 1.0, "weight": 1.5},
    "xed": {"share": 0.8, "weight": 0.7},
    "movie_reviews": {"share": 0.6, "weight": 1.0},
    "pros_cons": {"share": 0.25, "weight": 0.6},
    "opinion_lexicon": {"share": 0.5, "weight": 0.4},
}


class Encoder(nn.Module):
    """BERT as Devlin et al. describe it (2019), with the tensor names of Hugging Face checkpoints."""

    def __init__(self, config, dropout):
        super().__init__()
        hidden = config["hidden_size"]
        self.heads = config["num_attention_heads"]
        self.dropout = dropout
        eps = config["layer_norm_eps"]
        self.word = nn.Embedding(config["vocab_size"], hidden)
        self.position = nn.Embedding(config["max_position_embeddings"], hidden)
        self.kind = nn.Embedding(config["type_vocab_size"], hidden)
        self.norm = nn.LayerNorm(hidden, eps=eps)
        self.layers = nn.ModuleList(
            nn.ModuleDict(
                {
                    "qkv": nn.Linear(hidden, 3 * hidden),
                    "out": nn.Linear(hidden, hidden),
                    "norm1": nn.LayerNorm(hidden, eps=eps),
                    "up": nn.Linear(hidden, config["intermediate_size"]),
                    "down": nn.Linear(config["intermediate_size"], hidden),
                    "norm2": nn.LayerNorm(hidden, eps=eps),
                }
            )
            for _ in range(config["num_hidden_layers"])
        )
        self.pooler = nn.Linear(hidden, hidden)
        self.classifier = nn.Linear(hidden, len(LABELS))

    def drop(self, x):
        return F.dropout(x, self.dropout, self.training)

    def forward(self, ids, mask):
        positions = torch.arange(ids.shape[1])
        x = self.word(ids) + self.position(positions) + self.kind.weight[0]
        x = self.drop(self.norm(x))
        batch, length, hidden = x.shape
        attend = mask[:, None, None, :]
        for layer in self.layers:
            q, k, v = (
                part.view(batch, length, self.heads, -1).transpose(1, 2)
                for part in layer["qkv"](x).chunk(3, dim=-1)
            )
            context = F.scaled_dot_product_attention(q, k, v, attn_mask=attend)
            context = context.transpose(1, 2).reshape(batch, length, hidden)
            x = layer["norm1"](x + self.drop(layer["out"](context)))
            x = layer["norm2"](x + self.drop(layer["down"](F.gelu(layer["up"](x)))))
        return x

    def classify(self, ids, mask):
        first = self.forward(ids, mask)[:, 0]
        return self.classifier(self.drop(torch.tanh(self.pooler(first))))

    def names(self):
        """Pairs of a parameter and its place in a checkpoint: (name, row range of qkv or None)."""
        yield "embeddings.word_embeddings.weight", self.word.weight, None
        yield "embeddings.position_embeddings.weight", self.position.weight, None
        yield "embeddings.token_type_embeddings.weight", self.kind.weight, None
        yield "embeddings.LayerNorm.weight", self.norm.weight, None
        yield "embeddings.LayerNorm.bias", self.norm.bias, None
        for i, layer in enumerate(self.layers):
            at = f"encoder.layer.{i}."
            for part in ("weight", "bias"):
                qkv = getattr(layer["qkv"], part)
                third = qkv.shape[0] // 3
                for j, name in enumerate(("query", "key", "value")):
                    rows = slice(j * third, (j + 1) * third)
                    yield f"{at}attention.self.{name}.{part}", qkv, rows
                yield f"{at}attention.output.dense.{part}", getattr(layer["out"], part), None
                yield f"{at}attention.output.LayerNorm.{part}", getattr(layer["norm1"], part), None
                yield f"{at}intermediate.dense.{part}", getattr(layer["up"], part), None
                yield f"{at}output.dense.{part}", getattr(layer["down"], part), None
                yield f"{at}output.LayerNorm.{part}", getattr(layer["norm2"], part), None
        yield "pooler.dense.weight", self.pooler.weight, None
        yield "pooler.dense.bias", self.pooler.bias, None

    @torch.no_grad()
    def load(self, tensors):
        for name, parameter, rows in self.names():
            values = tensors.get(name, tensors.get(f"bert.{name}"))
            if values is None:
                raise KeyError(f"the base checkpoint has no {name}")
            (parameter if rows is None else parameter[rows]).copy_(values.float())
        if "classifier.weight" in tensors:
            self.classifier.weight.copy_(tensors["classifier.weight"])
            self.classifier.bias.copy_(tensors["classifier.bias"])

    @torch.no_grad()
    def dump(self):
        tensors = {
            f"bert.{name}": (parameter if rows is None else parameter[rows]).detach().clone().contiguous()
            for name, parameter, rows in self.names()
        }
        tensors["classifier.weight"] = self.classifier.weight.detach().clone()
        tensors["classifier.bias"] = self.classifier.bias.detach().clone()
        return tensors


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def encode(tokenizer, rows, max_tokens):
    """Ids per text. Of a text that is too long, the head and the tail become a piece each: verdicts stand at the end."""
    pieces = []
    for row, encoding in zip(rows, tokenizer.encode_batch([row["text"] for row in rows])):
        ids = encoding.ids
        if len(ids) <= max_tokens:
            pieces.append({**row, "ids": ids})
            continue
        room = max_tokens - 2
        inner = ids[1:-1]
        for part in (inner[:room], inner[-room:]):
            pieces.append({**row, "ids": [ids[0], *part, ids[-1]]})
    return pieces


def batches(pieces, budget, most, rng):
    """Pieces of similar length, in batches of at most `budget` padded ids, in random order."""
    order = sorted(pieces, key=lambda piece: len(piece["ids"]) + rng.random() * 4)
    made, batch = [], []
    for piece in order:
        longest = max(len(piece["ids"]), max((len(p["ids"]) for p in batch), default=0))
        if batch and (longest * (len(batch) + 1) > budget or len(batch) >= most):
            made.append(batch)
            batch = []
        batch.append(piece)
    made.append(batch)
    rng.shuffle(made)
    return made


def pad(batch):
    longest = max(len(piece["ids"]) for piece in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    for row, piece in enumerate(batch):
        ids[row, : len(piece["ids"])] = torch.tensor(piece["ids"])
    return ids, torch.arange(longest)[None, :] < torch.tensor([len(p["ids"]) for p in batch])[:, None]


def class_weights(pieces):
    """Within every source both labels weigh the same."""
    counts = {}
    for piece in pieces:
        key = (piece["source"], piece["label"])
        counts[key] = counts.get(key, 0) + 1
    weights = {}
    for (source, label), own in counts.items():
        total = own + counts.get((source, 1 - label), 0)
        weights[source, label] = SOURCES[source]["weight"] * total / (2 * own)
    return weights


@torch.no_grad()
def predict(model, pieces):
    model.eval()
    logits = torch.zeros(len(pieces), len(LABELS))
    order = sorted(range(len(pieces)), key=lambda i: len(pieces[i]["ids"]))
    for start in range(0, len(order), 32):
        part = order[start : start + 32]
        ids, mask = pad([pieces[i] for i in part])
        with torch.autocast("cpu", torch.bfloat16):
            logits[part] = model.classify(ids, mask).float()
    model.train()
    return logits


BINS = 15
TEMPERATURES = [0.5 + 0.02 * i for i in range(150)]


def measure(logits, pieces, temperature=1.0):
    """The measures of the product's own evaluation: calibration error over 15 equally wide bins of confidence."""
    labels = torch.tensor([piece["label"] for piece in pieces])
    confidence, predicted = (logits / temperature).softmax(-1).max(-1)
    hit = predicted == labels
    recalls = [hit[labels == label].float().mean().item() for label in range(len(LABELS))]
    bins = (confidence * BINS).long().clamp(max=BINS - 1)
    gaps = torch.zeros(BINS).index_add_(0, bins, confidence - hit.float())
    return {
        "accuracy": round(hit.float().mean().item(), 4),
        "balanced": round(sum(recalls) / len(recalls), 4),
        "ece": round(gaps.abs().sum().item() / len(pieces), 4),
    }


def judge(logits, pieces):
    """What a checkpoint is chosen by: log loss at its best temperature, half on each of the two sources that matter most."""
    losses = {}
    for temperature in TEMPERATURES:
        parts = []
        for source in ("sentence_polarity", "goemotions"):
            rows = [i for i, piece in enumerate(pieces) if piece["source"] == source]
            labels = torch.tensor([pieces[i]["label"] for i in rows])
            parts.append(F.cross_entropy(logits[rows] / temperature, labels).item())
        losses[temperature] = sum(parts) / len(parts)
    return round(min(losses.values()), 4)


def fit_temperature(logits, pieces):
    labels = torch.tensor([piece["label"] for piece in pieces])
    return min(TEMPERATURES, key=lambda t: F.cross_entropy(logits / t, labels).item())


def write(model, base, output, temperature, record):
    os.makedirs(output, exist_ok=True)
    tensors = model.dump()
    tensors["classifier.weight"] /= temperature
    tensors["classifier.bias"] /= temperature
    save_file(tensors, os.path.join(output, "model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(base, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    config.pop("_name_or_path", None)
    config.update(
        architectures=["BertForSequenceClassification"],
        id2label={str(i): label for i, label in enumerate(LABELS)},
        label2id={label: i for i, label in enumerate(LABELS)},
        problem_type="single_label_classification",
    )
    with open(os.path.join(output, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file, indent=2)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(os.path.join(base, name), output)
    # A base encoder's tokenizer may cut and fill on its own; the server decides that.
    with open(os.path.join(output, "tokenizer.json"), encoding="utf-8") as file:
        tokenizer = json.load(file)
    tokenizer["truncation"] = None
    tokenizer["padding"] = None
    with open(os.path.join(output, "tokenizer.json"), "w", encoding="utf-8") as file:
        json.dump(tokenizer, file, ensure_ascii=False)
    with open(os.path.join(output, "training.json"), "w", encoding="utf-8") as file:
        json.dump(record, file, indent=2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="folder of the base encoder")
    parser.add_argument("--data", required=True, help="folder that prepare.ts wrote")
    parser.add_argument("--output", required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=6e-5, help="highest learning rate")
    parser.add_argument("--max-tokens", type=int, default=96)
    parser.add_argument("--batch-tokens", type=int, default=1024)
    parser.add_argument("--batch-items", type=int, default=32)
    parser.add_argument("--smoothing", type=float, default=0.05)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=0, help="stop after so many steps, to try things out")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    tokenizer = Tokenizer.from_file(os.path.join(options.base, "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    parts = {
        name: encode(tokenizer, read(os.path.join(options.data, f"{name}.jsonl")), options.max_tokens if name == "training" else 256)
        for name in ("training", "validation", "sst-2-dev", "goemotions-dev", "unseen-products")
    }
    weights = class_weights(parts["training"])
    with open(os.path.join(options.base, "config.json"), encoding="utf-8") as file:
        model = Encoder(json.load(file), options.dropout)
    nn.init.normal_(model.classifier.weight, std=0.02)
    nn.init.zeros_(model.classifier.bias)
    model.load(load_file(os.path.join(options.base, "model.safetensors")))
    # Rare words get no gradient from so little text; as they are, they keep what the base learnt from a great deal.
    model.word.weight.requires_grad_(False)
    average = {name: value.detach().clone() for name, value in model.state_dict().items()}

    plan = []
    for _ in range(options.epochs):
        chosen = [p for p in parts["training"] if rng.random() < SOURCES[p["source"]]["share"]]
        plan.append(batches(chosen, options.batch_tokens, options.batch_items, rng))
    total = sum(len(epoch) for epoch in plan)
    trained = [p for p in model.parameters() if p.requires_grad]
    decay = [p for p in trained if p.ndim > 1]
    plain = [p for p in trained if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=options.rate, fused=True
    )
    started, step, seen, running = time.time(), 0, 0, 0.0
    model.train()
    epochs, chosen, best = [], None, None
    for number, epoch in enumerate(plan):
        for batch in epoch:
            step += 1
            progress = step / total
            rate = options.rate * min(progress / 0.06, (1 - progress) / 0.94)
            for group in optimizer.param_groups:
                group["lr"] = rate
            ids, mask = pad(batch)
            target = torch.tensor([piece["label"] for piece in batch])
            weight = torch.tensor([weights[piece["source"], piece["label"]] for piece in batch])
            with torch.autocast("cpu", torch.bfloat16):
                logits = model.classify(ids, mask)
            loss = F.cross_entropy(logits.float(), target, reduction="none", label_smoothing=options.smoothing)
            loss = (loss * weight).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            if step % 10 == 0:
                keep = min(0.99, 1 - 10 / (step + 10))
                with torch.no_grad():
                    for name, value in model.state_dict().items():
                        average[name].lerp_(value, 1 - keep)
            seen += ids.numel()
            running += loss.item()
            if step % 100 == 0:
                speed = seen / (time.time() - started)
                print(f"epoch {number + 1} step {step}/{total} loss {running / 100:.4f} {speed:.0f} tokens/s", flush=True)
                running = 0.0
            if options.steps and step >= options.steps:
                break
        current = {name: value.detach().clone() for name, value in model.state_dict().items()}
        model.load_state_dict(average)
        logits = predict(model, parts["validation"])
        temperature = fit_temperature(logits, parts["validation"])
        results = {
            "epoch": number + 1,
            "temperature": temperature,
            "judged": judge(logits, parts["validation"]),
            "validation": measure(logits, parts["validation"], temperature),
        }
        print(json.dumps(results), flush=True)
        epochs.append(results)
        if results["judged"] <= min(epoch["judged"] for epoch in epochs):
            best = {name: value.clone() for name, value in average.items()}
            chosen = results
        model.load_state_dict(current)
        if options.steps:
            break

    # Only what was chosen meets the measured texts, once.
    model.load_state_dict(best)
    measured = {
        name: measure(predict(model, parts[name]), parts[name], chosen["temperature"])
        for name in parts
        if name not in ("training", "validation")
    }
    print(json.dumps({"chosen": chosen["epoch"], **measured}), flush=True)
    record = {
        "options": {key: value for key, value in vars(options).items() if key not in ("base", "data", "output")},
        "torch": torch.__version__,
        "epochs": epochs,
        "chosen": chosen["epoch"],
        "measured": measured,
        "seconds": round(time.time() - started),
    }
    write(model, options.base, options.output, chosen["temperature"], record)


if __name__ == "__main__":
    main()
