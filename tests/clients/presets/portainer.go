package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
)

// Portainer's agent: it takes a snapshot of the engine, passes on what people click in the browser,
// and makes a container anew. Its arguments are a name for all that it makes, and an image.
func portainer(ctx context.Context, arguments []string) error {
	if len(arguments) != 2 {
		return fmt.Errorf("usage: presets portainer NAME IMAGE")
	}
	docker, err := negotiating()
	if err != nil {
		return err
	}
	if err := snapshot(ctx, docker); err != nil {
		return err
	}
	if err := clicks(arguments[0], arguments[1]); err != nil {
		return err
	}
	if err := terminal(ctx, docker, arguments[0]); err != nil {
		return err
	}
	return recreate(ctx, docker, arguments[0])
}

func snapshot(ctx context.Context, docker *client.Client) error {
	if _, err := docker.Ping(ctx); err != nil {
		return step("ping", err)
	}
	info, err := docker.Info(ctx)
	if err != nil {
		return step("info", err)
	}
	if info.Swarm.ControlAvailable {
		if _, err := docker.ServiceList(ctx, types.ServiceListOptions{}); err != nil {
			return step("services", err)
		}
		if _, err := docker.NodeList(ctx, types.NodeListOptions{}); err != nil {
			return step("nodes", err)
		}
	}
	list, err := docker.ContainerList(ctx, types.ContainerListOptions{All: true})
	if err != nil {
		return step("list", err)
	}
	for _, entry := range list {
		if _, err := docker.ContainerInspect(ctx, entry.ID); err != nil && !client.IsErrNotFound(err) {
			return step("inspect", err)
		}
	}
	if _, err := docker.ImageList(ctx, types.ImageListOptions{}); err != nil {
		return step("images", err)
	}
	if _, err := docker.VolumeList(ctx, filters.Args{}); err != nil {
		return step("volumes", err)
	}
	if _, err := docker.NetworkList(ctx, types.NetworkListOptions{}); err != nil {
		return step("networks", err)
	}
	_, err = docker.ServerVersion(ctx)
	return step("version", err)
}

// What the browser asks goes through as it is: without a version, and without the library.
func clicks(name, image string) error {
	query := url.QueryEscape
	create, _ := json.Marshal(map[string]interface{}{
		"Image": image, "Cmd": []string{"sleep", "1000"}, "OpenStdin": false, "Tty": true,
		"ExposedPorts": map[string]interface{}{"80/tcp": map[string]string{}},
		"Labels":       map[string]string{}, "name": name,
		"HostConfig": map[string]interface{}{
			"RestartPolicy": map[string]string{"Name": "no"}, "PublishAllPorts": false,
			"PortBindings": map[string]interface{}{"80/tcp": []map[string]string{{"HostPort": ""}}},
			"Binds":        []string{name + ":/data"}, "AutoRemove": false, "Privileged": false,
			"Init": false, "NetworkMode": name, "ExtraHosts": []string{}, "Devices": []string{},
			"DeviceRequests": []string{}, "CapAdd": []string{}, "CapDrop": []string{}, "Sysctls": map[string]string{},
			"LogConfig": map[string]interface{}{"Type": "", "Config": map[string]string{}},
		},
		"NetworkingConfig": map[string]interface{}{"EndpointsConfig": map[string]interface{}{
			name: map[string]interface{}{"IPAMConfig": map[string]string{"IPv4Address": "", "IPv6Address": ""}, "Aliases": []string{}},
		}},
	})
	labelled := query(fmt.Sprintf(`{"label":["%s"]}`, name))
	lines := []struct{ method, target, body string }{
		{"POST", "/images/create?fromImage=" + query(image), ""},
		{"POST", "/volumes/create", fmt.Sprintf(`{"Name":"%s","Driver":"local","DriverOpts":{}}`, name)},
		{"POST", "/networks/create", fmt.Sprintf(`{"Name":"%s","Driver":"bridge","IPAM":{"Config":[]},"Internal":false,"Attachable":false}`, name)},
		{"POST", "/containers/create?name=" + query(name), string(create)},
		{"POST", "/containers/" + name + "/start", "{}"},
		{"GET", "/containers/json?all=1", ""},
		{"GET", "/containers/" + name + "/json", ""},
		{"GET", "/containers/" + name + "/logs?stdout=1&stderr=1&tail=100&timestamps=1&since=0", ""},
		{"GET", "/containers/" + name + "/stats?stream=false", ""},
		{"GET", "/containers/" + name + "/top", ""},
		{"POST", "/containers/" + name + "/update", `{"RestartPolicy":{"Name":"unless-stopped","MaximumRetryCount":0}}`},
		{"GET", "/images/json?all=0", ""},
		{"GET", "/images/" + image + "/json", ""},
		{"GET", "/images/" + image + "/history", ""},
		{"POST", "/images/" + image + "/tag?force=0&repo=" + query(name) + "&tag=copy", ""},
		{"GET", "/images/get?names=" + query(name+":copy"), ""},
		{"POST", "/commit?container=" + name + "&repo=" + query(name) + "&tag=commit", "{}"},
		{"DELETE", "/images/" + name + ":commit?force=false", ""},
		{"DELETE", "/images/" + name + ":copy?force=false", ""},
		{"GET", "/volumes?filters=" + query(`{"dangling":["true"]}`), ""},
		{"GET", "/networks?filters=" + labelled, ""},
		{"GET", "/networks/" + name, ""},
		{"GET", "/events?since=1&until=2", ""},
		{"GET", "/info", ""},
		{"GET", "/version", ""},
		{"GET", "/plugins", ""},
		{"POST", "/containers/prune?filters=" + labelled, ""},
	}
	for _, line := range lines {
		if err := click(line.method, line.target, line.body); err != nil {
			return err
		}
	}
	return nil
}

func click(method, target, body string) error {
	address := strings.TrimPrefix(os.Getenv("DOCKER_HOST"), "unix://")
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", address)
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequest(method, "http://docker"+target, strings.NewReader(body))
	if err != nil {
		return err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return step(method+" "+target, err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 400 {
		err = fmt.Errorf("%d %s", answer.StatusCode, said)
	}
	return step(method+" "+target, err)
}

// The console and the file browser.
func terminal(ctx context.Context, docker *client.Client, name string) error {
	made, err := docker.ContainerExecCreate(ctx, name, types.ExecConfig{
		AttachStdin: true, AttachStdout: true, AttachStderr: true, Cmd: []string{"sh", "-c", "read line; echo got $line"},
	})
	if err != nil {
		return step("exec", err)
	}
	stream, err := docker.ContainerExecAttach(ctx, made.ID, types.ExecStartCheck{})
	if err != nil {
		return step("exec start", err)
	}
	defer stream.Close()
	if _, err := stream.Conn.Write([]byte("typed\n")); err != nil {
		return step("typing", err)
	}
	var output bytes.Buffer
	if _, err := stdcopy.StdCopy(&output, io.Discard, stream.Reader); err != nil {
		return step("the output of the exec", err)
	}
	fmt.Print(output.String())
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	_ = writer.WriteHeader(&tar.Header{Name: "uploaded", Mode: 0o644, Size: 5})
	_, _ = writer.Write([]byte("bytes"))
	_ = writer.Close()
	err = docker.CopyToContainer(ctx, name, "/data", &archive, types.CopyToContainerOptions{})
	return step("upload", err)
}

// Makes a container anew, as its page offers.
func recreate(ctx context.Context, docker *client.Client, name string) error {
	old, _, err := docker.ContainerInspectWithRaw(ctx, name, true)
	if err != nil {
		return step("inspect", err)
	}
	progress, err := docker.ImagePull(ctx, old.Config.Image, types.ImagePullOptions{})
	if err := drain("pull", progress, err); err != nil {
		return err
	}
	if err := docker.ContainerStop(ctx, old.ID, new(time.Duration)); err != nil {
		return step("stop", err)
	}
	if err := docker.ContainerRename(ctx, old.ID, old.Name+"-old"); err != nil {
		return step("rename", err)
	}
	first := network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{}}
	for name, endpoint := range old.NetworkSettings.Networks {
		if err := docker.NetworkDisconnect(ctx, endpoint.NetworkID, old.ID, true); err != nil {
			return step("disconnect", err)
		}
		if len(first.EndpointsConfig) == 0 {
			endpoint.MacAddress = ""
			first.EndpointsConfig[name] = endpoint
		}
	}
	made, err := docker.ContainerCreate(ctx, old.Config, old.HostConfig, &first, nil, old.Name)
	if err != nil {
		return step("create", err)
	}
	for name, endpoint := range old.NetworkSettings.Networks {
		if _, ok := first.EndpointsConfig[name]; ok {
			continue
		}
		if err := docker.NetworkConnect(ctx, endpoint.NetworkID, made.ID, endpoint); err != nil {
			return step("connect", err)
		}
	}
	if err := docker.ContainerStart(ctx, made.ID, types.ContainerStartOptions{}); err != nil {
		return step("start", err)
	}
	if err := docker.ContainerRemove(ctx, old.ID, types.ContainerRemoveOptions{}); err != nil {
		return step("remove", err)
	}
	fmt.Println("recreated", made.ID)
	return nil
}
