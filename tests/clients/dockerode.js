// dockerode against the Docker Engine that DOCKER_HOST names. Each step prints one line of JSON,
// its name and what it saw; the same lines have to come straight and through Powerstrip.

const { PassThrough, Writable } = require('node:stream');
const { once } = require('node:events');
const Docker = require('dockerode');

const docker = new Docker();
const IMAGE = 'busybox:latest';
const ATTACH = { stream: true, stdin: true, stdout: true, stderr: true };

const steps = {
  async ping() {
    return String(await docker.ping());
  },

  async run_collects_output_and_exit_code() {
    const out = sink();
    const [result, container] = await docker.run(IMAGE, ['sh', '-c', 'echo out; exit 3'], out);
    await container.remove();
    return [out.text(), result.StatusCode];
  },

  async attach_splits_stdout_and_stderr() {
    const container = await create(['sh', '-c', 'echo out; echo err >&2']);
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    const [out, err] = [sink(), sink()];
    container.modem.demuxStream(stream, out, err);
    await container.start();
    await ended(stream);
    return [out.text(), err.text(), await finish(container)];
  },

  // The options travel as a JSON body; what is written later is stdin, on the same connection.
  async attach_takes_stdin_behind_its_json_body() {
    const container = await create(['sh'], { OpenStdin: true, StdinOnce: true });
    const stream = await container.attach(ATTACH);
    const seen = collect(stream);
    await container.start();
    stream.write('echo one; sleep 1; echo two; exit 4\n');
    return [(await seen).toString('latin1'), await finish(container)];
  },

  async hijacked_attach_passes_on_the_end_of_stdin() {
    const container = await create(['sh', '-c', 'wc -c'], { OpenStdin: true, StdinOnce: true });
    const stream = await container.attach({ ...ATTACH, hijack: true });
    const seen = collect(stream);
    await container.start();
    stream.end(Buffer.alloc(300000, 'x'));
    return [(await seen).toString('latin1'), await finish(container)];
  },

  async hijacked_attach_to_a_terminal() {
    const container = await create(['wc', '-c'], { OpenStdin: true, Tty: true });
    const stream = await container.attach({ ...ATTACH, hijack: true });
    const seen = collect(stream);
    await container.start();
    stream.write('0123456789\n\x04');
    return [(await seen).toString('latin1'), await finish(container)];
  },

  async exec_without_hijack() {
    return inContainer(async (container) => {
      const exec = await container.exec({ Cmd: ['echo', 'foo'], AttachStdout: true });
      const seen = collect(await exec.start({}));
      return [(await seen).toString('latin1'), (await exec.inspect()).ExitCode];
    });
  },

  async hijacked_exec_passes_on_the_end_of_stdin() {
    return inContainer(async (container) => {
      const Cmd = ['sh', '-c', 'cat; exit 5'];
      const exec = await container.exec({ Cmd, AttachStdin: true, AttachStdout: true });
      const stream = await exec.start({ hijack: true, stdin: true });
      const seen = collect(stream);
      stream.end('echo\nall\nof\nme\n');
      return [(await seen).toString('latin1'), (await exec.inspect()).ExitCode];
    });
  },

  async exec_in_a_terminal_is_resized() {
    return inContainer(async (container) => {
      const streams = { AttachStdin: true, AttachStdout: true, Tty: true };
      const exec = await container.exec({ Cmd: ['sh', '-c', 'read x; stty size'], ...streams });
      const stream = await exec.start({ hijack: true, stdin: true, Tty: true });
      const seen = collect(stream);
      await exec.resize({ h: 33, w: 111 });
      stream.write('\n');
      return (await seen).toString('latin1');
    });
  },

  async exec_of_a_missing_program() {
    return inContainer(async (container) => {
      const exec = await container.exec({ Cmd: ['/nonexistent'], AttachStdout: true });
      const seen = collect(await exec.start({ hijack: true }));
      return [(await seen).toString('latin1'), (await exec.inspect()).ExitCode];
    });
  },

  async detached_exec_leaves_an_ordinary_connection() {
    return inContainer(async (container) => {
      const exec = await container.exec({ Cmd: ['true'] });
      return collect(await exec.start({ Detach: true })).then(String);
    });
  },

  async logs_are_followed_to_their_end() {
    const container = await create(['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.3; done']);
    await container.start();
    const stream = await container.logs({ follow: true, stdout: true, stderr: true });
    const out = sink();
    container.modem.demuxStream(stream, out, out);
    await ended(stream);
    return [out.text(), await finish(container)];
  },

  async stats_stream_and_stop() {
    return inContainer(async (container) => {
      const stream = await container.stats();
      const [first] = await once(stream, 'data');
      stream.destroy();
      return Object.keys(JSON.parse(first)).sort();
    });
  },

  async events_of_one_container() {
    const name = `events-${process.pid}`;
    const filters = { container: [name], type: ['container'] };
    const stream = await docker.getEvents({ filters });
    const container = await create(['true'], { name });
    await container.start();
    await finish(container);
    const actions = [];
    for await (const chunk of stream) {
      for (const line of String(chunk).trim().split('\n')) actions.push(JSON.parse(line).Action);
      if (actions.includes('destroy')) break;
    }
    return actions;
  },

  async archives_go_in_and_out() {
    const container = await create(['cat', '/tmp/file']);
    const put = await container.putArchive(tar('file', 'in and out\n'), { path: '/tmp' });
    const got = await collect(await container.getArchive({ path: '/tmp/file' }));
    const text = got.subarray(512, 523).toString();
    await container.remove();
    return [String(put.statusCode), text];
  },

  async a_build_from_a_stream() {
    const context = tar('Dockerfile', `FROM ${IMAGE}\nRUN echo built > /file\nCMD cat /file\n`);
    const stream = await docker.buildImage(context, { t: 'dockerode-built' });
    const lines = await progress(stream);
    const out = sink();
    const [result, container] = await docker.run('dockerode-built', [], out);
    await container.remove();
    await docker.getImage('dockerode-built').remove();
    const steps = lines.map((line) => line.stream).filter((text) => text?.startsWith('Step'));
    return [steps, out.text(), result.StatusCode];
  },

  async a_build_that_fails() {
    const context = tar('Dockerfile', `FROM ${IMAGE}\nRUN exit 7\n`);
    const lines = await progress(await docker.buildImage(context, {}));
    return lines.at(-1);
  },

  async a_build_from_a_broken_stream() {
    return docker.buildImage(new PassThrough().end('no tar'), {}).then(progress).catch(message);
  },

  async pull_and_its_progress() {
    const lines = await progress(await docker.pull('alpine:latest'));
    return lines.map((line) => line.status).filter((text) => text.startsWith('Status'));
  },

  async pull_that_is_given_up() {
    const stream = await docker.pull('alpine:3.10');
    await once(stream, 'data');
    stream.destroy();
    return String(await docker.ping());
  },

  async images_are_saved_and_loaded() {
    const saved = await collect(await docker.getImage(IMAGE).get());
    const loaded = await collect(await docker.loadImage(new PassThrough().end(saved)));
    return loaded.toString();
  },

  async push_to_nowhere() {
    await docker.getImage(IMAGE).tag({ repo: '127.0.0.1:1/nowhere' });
    const stream = await docker.getImage('127.0.0.1:1/nowhere').push({ authconfig: {} });
    return progress(stream).catch((error) => error.message.replace(/:\d+->/, ':N->'));
  },

  async errors_are_told_as_they_are() {
    const missing = docker.getContainer('missing');
    const calls = [missing.inspect(), missing.attach(ATTACH), missing.start(), missing.logs({}),
      missing.attach({ ...ATTACH, hijack: true }), docker.createContainer({ Image: 'missing' }),
      docker.getExec('missing').start({ hijack: true })];
    const told = await Promise.allSettled(calls);
    return told.map(({ status, reason }) => (status === 'rejected' ? message(reason) : status));
  },

  async networks_and_volumes() {
    const network = await docker.createNetwork({ Name: 'dockerode', CheckDuplicate: true });
    const volume = await docker.createVolume({ Name: 'dockerode', Labels: { a: 'b' } });
    const seen = [(await network.inspect()).Name, (await volume.inspect()).Labels];
    await network.remove();
    await docker.getVolume('dockerode').remove();
    return seen;
  },

  async many_calls_at_a_time() {
    const calls = Array.from({ length: 50 }, (_, i) => (i % 2 ? docker.info() : docker.version()));
    return (await Promise.all(calls)).length;
  },
};

async function create(Cmd, more) {
  return docker.createContainer({ Image: IMAGE, Cmd, ...more });
}

async function finish(container) {
  const { StatusCode } = await container.wait();
  await container.remove();
  return StatusCode;
}

async function inContainer(act) {
  const container = await create(['sleep', '600']);
  await container.start();
  try {
    return await act(container);
  } finally {
    await container.remove({ force: true });
  }
}

async function ended(stream) {
  stream.resume?.();
  await once(stream, 'end');
}

async function collect(stream) {
  if (Buffer.isBuffer(stream)) return stream;
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

function sink() {
  const chunks = [];
  const stream = new Writable({ write: (chunk, _, done) => (chunks.push(chunk), done()) });
  stream.text = () => Buffer.concat(chunks).toString();
  return stream;
}

function progress(stream) {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error, lines) => (error ? reject(error) : resolve(lines)));
  });
}

function message(error) {
  return `${error.statusCode}: ${error.message}`;
}

// A tar archive of one file.
function tar(name, text) {
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write('0000644\0' + '0000000\0' + '0000000\0', 100);
  head.write(Buffer.byteLength(text).toString(8).padStart(11, '0') + '\0', 124);
  head.write('00000000000\0' + '        ' + '0', 136);
  head.write('ustar\x0000', 257);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(sum.toString(8).padStart(6, '0') + '\0 ', 148);
  const padding = Buffer.alloc((512 - (Buffer.byteLength(text) % 512)) % 512 + 1024);
  return Buffer.concat([head, Buffer.from(text), padding]);
}

async function main() {
  for (const [step, act] of Object.entries(steps)) {
    const late = new Promise((resolve) => setTimeout(resolve, 30000, 'it did not end').unref());
    const saw = await Promise.race([act(), late]).catch((error) => `error: ${error.message}`);
    console.log(JSON.stringify({ step, saw }));
  }
  process.exit();
}

main();
