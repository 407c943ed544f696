# Written by botgarden; changes made here are overwritten.
# The lasting files of a bot, which are in the current directory, as an archive. Runs as the bot's user, whose files are not trusted.
#   pack   writes the archive: a SQLite database as its own backup makes it, which is of one moment, all else as it stands
#   sum    reads an archive, and tells how much is in it and the checksum of all of that
#   check  tells the same of the current directory, after every SQLite database in it was found to be whole
import hashlib, json, os, re, sqlite3, stat, sys, tarfile, time

COPY = '.backup'
MOST = 200_000
CHUNK = 1 << 20


class Fault(Exception):
    pass


def entries():
    """Every path below the current directory and what it is, in order. Links are not followed."""
    count = 0
    for folder, names, files in os.walk('.', onerror=unless_gone):
        names.sort()
        for name in sorted(names + files):
            path = os.path.normpath(os.path.join(folder, name))
            if path == COPY:
                names.remove(name)
                continue
            try:
                path.encode()
            except UnicodeEncodeError:
                raise Fault(f'{path!a}: its name is not UTF-8')
            count += 1
            if count > MOST:
                raise Fault(f'has more than {MOST} files')
            try:
                state = os.lstat(path)
            except FileNotFoundError:
                continue
            yield path, state


def unless_gone(error):
    if not isinstance(error, FileNotFoundError):
        raise error


def is_sqlite(path):
    with open(path, 'rb') as file:
        return file.read(16) == b'SQLite format 3\0'


def leads_out(path, target):
    top = path.split('/')[0]
    place = os.path.normpath(os.path.join(os.path.dirname(path), target))
    return os.path.isabs(target) or not (place + '/').startswith(top + '/')


def pack():
    remove_copy()
    os.mkdir(COPY, 0o700)
    disk = os.statvfs('.')
    left = disk.f_blocks * disk.f_frsize
    beside = set()
    with tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.PAX_FORMAT) as archive:
        for path, state in entries():
            info = tarfile.TarInfo(path)
            info.mode, info.mtime = stat.S_IMODE(state.st_mode) & 0o777, int(state.st_mtime)
            if stat.S_ISDIR(state.st_mode):
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            elif stat.S_ISLNK(state.st_mode):
                info.type, info.linkname = tarfile.SYMTYPE, os.readlink(path)
                # One that leads elsewhere could not be unpacked.
                if not leads_out(path, info.linkname):
                    archive.addfile(info)
            elif stat.S_ISREG(state.st_mode) and path not in beside:
                try:
                    source = path
                    if is_sqlite(path):
                        beside.update(path + end for end in ('-wal', '-shm', '-journal'))
                        source = copied(path)
                    file = open(source, 'rb')
                except FileNotFoundError:
                    continue
                with file:
                    info.size = os.fstat(file.fileno()).st_size
                    left -= info.size
                    if left < 0:
                        raise Fault('is larger than the disk that it is on')
                    try:
                        archive.addfile(info, file)
                    except OSError as error:
                        raise Fault(f'{path}: changed while it was read: {error}')
    remove_copy()


def copied(path):
    """A copy of the database, made by SQLite itself while others go on to use it."""
    target = COPY + '/copy'
    if os.path.exists(target):
        os.unlink(target)
    room = os.statvfs(COPY)
    if os.path.getsize(path) > room.f_bavail * room.f_frsize:
        raise Fault(f'{path}: the disk has no room for a copy of it')
    began = time.monotonic()

    def busy(status, remaining, total):
        if status not in (0, sqlite3_done) and time.monotonic() - began > 60:
            raise Fault(f'{path}: is locked for more than a minute')

    try:
        source, copy = opened(path, 'mode=rw'), sqlite3.connect(target)
        try:
            copy.execute('pragma synchronous = off')
            source.backup(copy, progress=busy)
            refuse_damaged(path, copy, 'quick_check')
        finally:
            source.close()
            copy.close()
    except sqlite3.Error as error:
        raise Fault(f'{path}: {error}')
    return target


sqlite3_done = 101


def opened(path, options):
    quoted = ''.join(c if c.isalnum() or c in '/._-' else ''.join(f'%{b:02x}' for b in c.encode()) for c in path)
    return sqlite3.connect(f'file:{quoted}?{options}', uri=True, timeout=30)


def refuse_damaged(path, database, how):
    database.execute('pragma trusted_schema = off')
    try:
        found = [row[0] for row in database.execute(f'pragma {how}(3)')]
    except sqlite3.OperationalError as error:
        # It uses what only its bot has: functions, modules, collations.
        if re.match('no such|unknown|unsafe use', str(error)):
            return
        raise
    if found != ['ok']:
        raise Fault(f'{path}: is damaged: {"; ".join(found)}')


def remove_copy():
    if os.path.lexists(COPY):
        for name in os.listdir(COPY):
            os.unlink(os.path.join(COPY, name))
        os.rmdir(COPY)


def digest(file):
    sum = hashlib.sha256()
    while chunk := file.read(CHUNK):
        sum.update(chunk)
    return sum.hexdigest()


def tell(lines):
    content = hashlib.sha256('\0'.join(sorted(lines)).encode(errors='surrogateescape')).hexdigest()
    print(json.dumps({'entries': len(lines), 'content': content}))


def sum_up():
    lines = []
    with tarfile.open(fileobj=sys.stdin.buffer, mode='r|') as archive:
        for info in archive:
            if info.isreg():
                lines.append(f'{info.name} file {info.mode:o} {digest(archive.extractfile(info))}')
            elif info.isdir():
                lines.append(f'{info.name} folder {info.mode:o}')
            else:
                lines.append(f'{info.name} link {info.linkname}')
    tell(lines)


def check():
    lines, databases = [], []
    for path, state in entries():
        mode = stat.S_IMODE(state.st_mode)
        if stat.S_ISDIR(state.st_mode):
            lines.append(f'{path} folder {mode:o}')
        elif stat.S_ISLNK(state.st_mode):
            lines.append(f'{path} link {os.readlink(path)}')
        elif stat.S_ISREG(state.st_mode):
            with open(path, 'rb') as file:
                lines.append(f'{path} file {mode:o} {digest(file)}')
            if is_sqlite(path):
                databases.append(path)
        else:
            raise Fault(f'{path}: is no file')
    for path in databases:
        try:
            database = opened(path, 'mode=ro&immutable=1')
            refuse_damaged(path, database, 'integrity_check')
            database.close()
        except sqlite3.Error as error:
            raise Fault(f'{path}: {error}')
    tell(lines)


try:
    {'pack': pack, 'sum': sum_up, 'check': check}[sys.argv[1]]()
except (Fault, OSError, tarfile.TarError) as error:
    sys.exit(f'data: {error}')
