"""python -m kws_train COMMAND ...; each command explains itself with --help."""
import importlib
import sys

COMMANDS = {"train": "train", "augment": "augment", "teacher": "teacher", "dense": "dense", "label": "label", "mix": "mix",
            "golden": "golden", "export": "export", "conditions": "conditions", "encoders": "encoders"}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: python -m kws_train {{{','.join(COMMANDS)}}} ...")
    importlib.import_module(f"kws_train.{COMMANDS[sys.argv[1]]}").main(sys.argv[2:])
