"""jx_trace.py - what the machine does while a program runs: `./jx trace`.

Boots a fresh machine, runs the program of the image that is called `trace` with the
program in it, and takes apart what comes back on standard output: what the program
itself wrote, and behind it the trace, which begins with the line that BEGIN is the
start of.
"""
import os
import sys

import jx_exec
import machine

HELP = """usage: ./jx trace [-o FILE] [-g GROUPS] [-l] [options of exec] PROGRAM [ARGS...]

Boots a fresh machine, runs one program in it, and writes what the kernel did
meanwhile to FILE (trace.json), in the trace event format: open it at
https://ui.perfetto.dev. The program's output and exit code are its own.
PROGRAM is a file of this computer if it contains a slash, else one of the image.

  -o FILE      where the trace goes
  -g GROUPS    what is recorded: sched,tasks,irq,probe,lock,syscall,vm or all
  -l           when there is more than fits: keep the last events, not the first
  --buffer K   KiB of records for each CPU (4096)

and --smp N, --mem M, --timeout S, --icount, --add FILE, --append WORDS: ./jx exec --help
"""
BEGIN = b'{"displayTimeUnit":"ns","otherData":{'


class Trace(jx_exec.Run):
    """Keeps the output instead of passing it on."""

    output = b''

    def on_output(self, data):
        self.output += data

    def split(self):
        """The program's output, and the trace; None if there is none."""
        at = self.output.rfind(BEGIN)
        return (self.output[:at], self.output[at:]) if at >= 0 else (self.output, None)


def parse(words):
    """FILE, words for jx_exec, words for `trace` in front of the program."""
    path, buffer, exec_words, trace_words = 'trace.json', '4096', [], []
    words = list(words)
    while words and words[0].startswith('-'):
        option = words.pop(0)
        if option in ('--help', '-h'):
            sys.stdout.write(HELP)
            sys.exit(0)
        if option == '-l':
            trace_words.append(option)
        elif option == '--icount':
            exec_words.append(option)
        elif not words:
            machine.fail(f'trace: {option} needs a value')
        elif option == '-o':
            path = words.pop(0)
        elif option == '-g':
            trace_words += [option, words.pop(0)]
        elif option == '--buffer':
            buffer = words.pop(0)
            if not buffer.isdigit() or buffer == '0':
                machine.fail(f'trace: --buffer {buffer}: want a number')
        elif option in ('--smp', '--mem', '--timeout', '--add', '--append'):
            exec_words += [option, words.pop(0)]
        else:
            machine.fail(f'trace: unknown option {option}; see ./jx trace --help')
    if not words:
        machine.fail('trace: which program? see ./jx trace --help')
    if '/' in words[0]:
        exec_words += ['--add', words[0]]
        words[0] = '/boot/' + os.path.basename(words[0])
    exec_words += ['--append', f'ktrace.size={buffer}']
    return path, exec_words + ['trace'] + trace_words + words


def main(words):
    path, exec_words = parse(words)
    runs = []

    def make(arguments, options):
        runs.append(Trace(arguments, options))
        return runs[0]

    code = jx_exec.main(exec_words, make)
    if not runs:
        return code
    output, trace = runs[0].split()
    sys.stdout.buffer.write(output)
    sys.stdout.buffer.flush()
    if trace is None:
        sys.stderr.write('jx: no trace came back\n')
        return code or 1
    with open(path, 'wb') as file:
        file.write(trace)
    return code
