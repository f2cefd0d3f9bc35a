# SPDX-License-Identifier: MIT
"""Manual, completion and progress say what the program does."""
import contextlib
import os
import pty
import re
import subprocess

from .common import call, IMAGE, INIT, must, read, SOURCE, tool, write


def source_text(path):
    return read(os.path.join(SOURCE, path)).decode()


def documented(page):
    """The options of a manual page: name -> (letter, whether it takes a value)."""
    found = {}
    for letter, name, rest in re.findall(r'^\.It (?:Fl (\w) , )?Fl -([a-z-]+)(.*)$', page, re.MULTILINE):
        found[name] = (letter, 'Ar' in rest)
    return found


def case_manual(tree, folder):
    """The manual pages, --help and the program know the same options, commands and words of the configuration."""
    rows = re.findall(r'\{"([a-z-]+)", (?:\'(\w)\'|0), (FLAG|WORD|LIST), FIELD\(([\w.]+)\), (true|false)\}',
                      source_text('image/options.c'))
    must(len(rows) == source_text('image/options.c').count('FIELD(') - 1, 'every row of the table is read')
    code = {name: (letter, kind != 'FLAG') for name, letter, kind, _, _ in rows}
    older = {'module', 'program', 'file'}
    for name in older:   # which of them takes a value is documented at the newer name
        code[name] = ('', False)
    code.update({'try': ('', False), 'append': ('', True), 'default': ('', False), 'help': ('h', False), 'version': ('V', False)})
    pages = {'8': source_text('man/inorder-image.8'), '5': source_text('man/inorder-image.conf.5')}
    of_page = {name: found for name, found in documented(pages['8']).items() if name != 'json'}
    must(of_page == code, f'the same options in inorder-image(8), not {set(of_page.items()) ^ set(code.items())}')
    said = call(tree, '--help')
    of_help = {name: (letter, bool(rest)) for letter, name, rest in
               re.findall(r'^  (?:-(\w), |    )--([a-z-]+)((?:\[?=| )(?:[A-Z]+).*)?', said, re.MULTILINE)}
    of_help.update({name: ('', False) for name in re.search(r'Older names: (.*)\.', said)[1].replace('--', '').split(', ')})
    must(of_help == code, f'the same options in --help, not {set(of_help.items()) ^ set(code.items())}')
    for name, (letter, value) in code.items():
        for word in [f'--{name}', *([f'-{letter}'] if letter else [])] if name not in ('try', 'default', 'append') else []:
            separate = [word] if not value or name == 'shell' else [word, 'x']
            if name not in older:
                tool(*separate, '--help')
    commands = set(re.findall(r'\{"(\w+)", command_', source_text('image/main.c')))
    must(set(re.findall(r'^\.It Cm (\w+)', pages['8'], re.MULTILINE)) | {'build'} == commands, f'{commands} in inorder-image(8)')
    must(all(re.search(rf'\b{name}\b', said) for name in commands), f'{commands} in --help')
    words = {name for name, _, _, _, command_only in rows if command_only == 'false'} - older
    of_page = set(re.findall(r'^\.It Cm ([a-z-]+)', pages['5'], re.MULTILINE))
    must(of_page == words, f'the same words in inorder-image.conf(5), not {of_page ^ words}')
    conf = os.path.join(folder, 'conf')
    write(conf, ''.join(f'{name} x\n' for name, *_ in rows).encode())
    refused = set(re.findall(r"'([a-z-]+)' is for the command line", call(tree, '--config', conf, '-l', code=1)))
    must(refused == set(dict.fromkeys(name for name, *_ in rows)) - words - older, f'the others refused, not {refused}')


def case_completion(_tree, _folder):
    """bash completes commands, every option of the help, and the values that are words."""
    def completed(*words):
        script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _inorder_image; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(['bash', '-c', script, os.path.join(SOURCE, 'image/completion.bash'), IMAGE, *words], check=True,
                              capture_output=True, text=True, cwd='/')
        must(not done.stderr, f'no error for {words}: {done.stderr}')
        return set(done.stdout.split())

    said = tool('--help').decode()
    commands = set(re.findall(r'\{"(\w+)", command_', source_text('image/main.c')))
    must(completed('') == commands, f'all commands: {completed("")}')
    of_install, of_looking = {'--try', '--default', '--append'}, {'--json'}
    options = set(re.findall(r'--[a-z-]+', said)) - of_install - of_looking
    must(completed('--') == completed('build', '-c', 'xz', '--') == options, f'all options of build: {completed("--") ^ options}')
    must(completed('install', '--') == of_install and completed('diff', '--') == of_looking, 'those of other commands')
    must(completed('--compress', 'z') == {'zstd'} and completed('build', '--microcode', '') == {'no', 'host', 'all'}, 'values')
    must('/etc' in completed('ls', '/et') and completed('status', '--') == set(), 'files; nothing where nothing can be')


def case_progress(tree, folder):
    """On a terminal it is seen how far it is, and nothing stays of that; elsewhere nothing is printed."""
    command = [IMAGE, '-t', tree, '-i', INIT, '-m', 'drivers/ata/', '-o', os.path.join(folder, 'image')]
    ours, theirs = pty.openpty()
    subprocess.run(command, check=True, stderr=theirs)
    os.close(theirs)
    said = b''
    with contextlib.suppress(OSError):   # EIO at its end
        while data := os.read(ours, 65536):
            said += data
    os.close(ours)
    must(b'modules' in said and b'files written: ' in said and said.endswith(b'\r\x1b[K'), f'progress in: {said}')
    must(not subprocess.run(command, check=True, capture_output=True).stderr, 'nothing in a pipe')
