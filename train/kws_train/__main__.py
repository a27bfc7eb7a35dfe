"""python -m kws_train COMMAND ...; each command explains itself with --help."""
import importlib
import subprocess
import sys

import soundfile

COMMANDS = {
    "manifest": "list a plain Speech Commands folder, with words of your choice as commands",
    "words": "list a corpus with every word as a word of its own, and some speakers held back",
    "augment": "make augmented copies of the corpus, with what the teacher hears in them",
    "teacher": "train heads on the teacher; soft labels of each clip",
    "dense": "what the teacher hears in running speech",
    "label": "soft labels by a network and the teacher together",
    "train": "train a network",
    "curves": "draw how trainings went",
    "export": "write the model file that the C programs read",
    "quantise": "write a model file with weights of 8 bits",
    "onnx": "write a network as a step in ONNX, for other engines",
    "base": "give a model file the embedding that words of one's own are heard by",
    "negatives": "make the bank that such words are told from, and streams to measure them",
    "enrol": "how well words of one's own are heard, by the C programs",
    "wake": "the wake words that ship, and how well they are heard",
    "conditions": "write the validation clips in many conditions, for the C engine to measure",
    "speakers": "how well the people of some clips are understood, by errors and by pitch",
    "reliability": "how far probabilities mean what they say, and the temperature that mends it",
    "mix": "build a continuous recording, with truth",
    "thresholds": "choose the thresholds of a card by misses and false alarms",
    "encoders": "train encoders alike and compare them",
    "lengths": "what encoders cost against the length of a recording",
    "golden": "write the golden files of the C tests",
}
USAGE = "usage: kws_train COMMAND [OPTION...]; kws_train COMMAND --help tells more\n\n" + "\n".join(
    f"  {name:<11} {what}" for name, what in COMMANDS.items())


def main(argv=None):
    """Run a command. What a user can mend ends it with one line on stderr: status 2 for the options, 1 for all else."""
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in ("-h", "--help"):
        print(USAGE)
        return
    if not argv or argv[0] not in COMMANDS:
        print((f"kws_train: no command '{argv[0]}'\n" if argv else "") + USAGE, file=sys.stderr)
        sys.exit(2)
    try:
        importlib.import_module(f"kws_train.{argv[0]}").main(argv[1:])
    except OSError as e:
        sys.exit(f"kws_train {argv[0]}: {e.filename}: {e.strerror}" if e.filename else f"kws_train {argv[0]}: {e}")
    except subprocess.CalledProcessError as e:
        sys.exit(f"kws_train {argv[0]}: {' '.join(map(str, e.cmd))}: ended with status {e.returncode}")
    except (soundfile.LibsndfileError, FloatingPointError) as e:
        sys.exit(f"kws_train {argv[0]}: {e}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
