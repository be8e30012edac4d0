"""testcontainers, and docker-py below it, against the Docker Engine that DOCKER_HOST names.

Each step prints one line of JSON, its name and what it saw; the same lines have to come straight
and through Powerstrip.
"""

import json
import pathlib
import socket
import tempfile
import threading
import time
import urllib.request

from docker.utils.socket import frames_iter
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.image import DockerImage
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

IMAGE = "busybox:latest"


def a_container_is_awaited_by_its_log():
    with DockerContainer(IMAGE).with_command("sh -c 'sleep 1; echo ready; sleep 600'").waiting_for(
        LogMessageWaitStrategy("ready")
    ) as container:
        code, output = container.exec("sh -c 'echo out; exit 3'")
        return container.get_logs()[0].decode(), code, output.decode()


def a_published_port_answers():
    serve = "sh -c 'mkdir /www && echo page > /www/index.html && httpd -f -h /www -p 80'"
    with DockerContainer(IMAGE).with_command(serve).with_exposed_ports(80) as container:
        host, port = container.get_container_host_ip(), container.get_exposed_port(80)
        return eventually(lambda: urllib.request.urlopen(f"http://{host}:{port}").read().decode())


def containers_of_a_network_know_each_other():
    with Network() as network:
        serve = "sh -c 'echo through the network > /tmp/page; httpd -f -h /tmp'"
        server = DockerContainer(IMAGE).with_command(serve).with_network(network)
        with server.with_network_aliases("server"):
            client = DockerContainer(IMAGE).with_command("sleep 600").with_network(network)
            with client:
                ask = lambda: client.exec("wget -q -O - http://server/page")
                return eventually(lambda: (answer := ask()).exit_code == 0 and answer.output.decode())


def folders_are_mounted():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "file").write_text("from the host\n", encoding="utf-8")
        container = DockerContainer(IMAGE).with_volume_mapping(folder, "/there", "ro")
        with container.with_command("sleep 600"):
            return container.exec("cat /there/file").output.decode()


def files_go_in_and_out():
    with DockerContainer(IMAGE).with_command("sleep 600") as container:
        with tempfile.TemporaryDirectory() as folder:
            sent, got = pathlib.Path(folder, "sent"), pathlib.Path(folder, "got")
            sent.write_bytes(bytes(range(256)) * 4096)
            container.copy_into_container(sent, "/tmp/there")
            container.copy_from_container("/tmp/there", got)
            return sent.read_bytes() == got.read_bytes()


def an_image_is_built_and_removed():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "Dockerfile").write_text(
            f"FROM {IMAGE}\nARG WORD\nRUN echo $WORD > /word\n", encoding="utf-8"
        )
        with DockerImage(path=folder, buildargs={"WORD": "built"}) as image:
            with DockerContainer(str(image)).with_command("sleep 600") as container:
                return container.exec("cat /word").output.decode()


def stdin_ends_and_output_goes_on():
    client = DockerClient().client
    command = "sh -c 'cat; sleep 1; echo after'"
    container = client.containers.create(IMAGE, command, stdin_open=True)
    stream = container.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    # Over TLS there is no half-close: the end of stdin is the end of the connection.
    connection = getattr(stream, "_sock", stream)
    if not type(connection) is socket.socket:
        container.remove()
        return "over TLS"
    container.start()
    connection.sendall(b"x" * 100000)
    connection.shutdown(socket.SHUT_WR)
    received = b"".join(data for _, data in frames_iter(connection, tty=False))
    container.remove(force=True)
    return len(received), received[-6:].decode()


def events_resume_where_they_ended():
    api = DockerClient().client.api
    seen, began = [], int(time.time())
    stream = api.events(decode=True, filters={"type": "volume"})
    reader = threading.Thread(target=lambda: seen.extend(event["Action"] for event in stream))
    reader.start()
    api.create_volume("resumed")
    eventually(lambda: seen)
    stream.close()
    reader.join()
    api.remove_volume("resumed")
    again = api.events(since=began, until=int(time.time()) + 1, decode=True,
                       filters={"volume": "resumed"})
    return seen, [event["Action"] for event in again]


def many_threads_share_a_client():
    client, answers = DockerClient().client, []
    act = lambda: [answers.append(client.api.inspect_image(IMAGE)["Size"]) for _ in range(25)]
    threads = [threading.Thread(target=act) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(answers), len(set(answers))


STEPS = [
    a_container_is_awaited_by_its_log,
    a_published_port_answers,
    containers_of_a_network_know_each_other,
    folders_are_mounted,
    files_go_in_and_out,
    an_image_is_built_and_removed,
    stdin_ends_and_output_goes_on,
    events_resume_where_they_ended,
    many_threads_share_a_client,
]


def eventually(ask):
    """The first true answer within some seconds."""
    deadline = time.monotonic() + 10
    while True:
        try:
            answer = ask()
        except OSError as error:
            answer, reason = None, error
        else:
            reason = answer
        if answer:
            return answer
        if time.monotonic() > deadline:
            return f"never: {reason}"
        time.sleep(0.1)


def main():
    for step in STEPS:
        try:
            saw = step()
        except Exception as error:  # pylint: disable=broad-except
            saw = f"error: {type(error).__name__}: {error}"
        print(json.dumps({"step": step.__name__, "saw": saw}), flush=True)


if __name__ == "__main__":
    main()
