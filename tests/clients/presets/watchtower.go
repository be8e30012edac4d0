package main

import (
	"context"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
)

// A label that names a command for the container to run before it is replaced.
const beforeUpdate = "com.centurylinklabs.watchtower.lifecycle.pre-update"

// Looks for newer images of the containers of these names, and replaces those that have one.
func watchtower(ctx context.Context, arguments []string) error {
	docker, err := of("1.25")
	if err != nil {
		return err
	}
	running := filters.NewArgs(filters.Arg("status", "running"))
	list, err := docker.ContainerList(ctx, types.ContainerListOptions{Filters: running})
	if err != nil {
		return step("list", err)
	}
	for _, entry := range list {
		found, err := docker.ContainerInspect(ctx, entry.ID)
		if client.IsErrNotFound(err) {
			continue
		}
		if err != nil {
			return step("inspect", err)
		}
		if !contains(arguments, strings.TrimPrefix(found.Name, "/")) {
			continue
		}
		if err := update(ctx, docker, found); err != nil {
			return err
		}
	}
	return nil
}

func update(ctx context.Context, docker *client.Client, old types.ContainerJSON) error {
	image, _, err := docker.ImageInspectWithRaw(ctx, old.Image)
	if err != nil {
		return step("the image of the container", err)
	}
	progress, err := docker.ImagePull(ctx, old.Config.Image, types.ImagePullOptions{})
	if err := drain("pull", progress, err); err != nil {
		return err
	}
	newest, _, err := docker.ImageInspectWithRaw(ctx, old.Config.Image)
	if err != nil {
		return step("the newest image", err)
	}
	if newest.ID == image.ID {
		fmt.Println("fresh", old.Name)
		return nil
	}
	if command := old.Config.Labels[beforeUpdate]; command != "" {
		if err := execute(ctx, docker, old.ID, command); err != nil {
			return err
		}
	}
	if err := stop(ctx, docker, old); err != nil {
		return err
	}
	id, err := replace(ctx, docker, old, image)
	if err != nil {
		return err
	}
	if _, err := docker.ImageRemove(ctx, image.ID, types.ImageRemoveOptions{Force: true}); err != nil {
		return step("removing the old image", err)
	}
	fmt.Println("updated", old.Name, id)
	return nil
}

func execute(ctx context.Context, docker *client.Client, id, command string) error {
	config := types.ExecConfig{Tty: true, Cmd: []string{"sh", "-c", command}}
	made, err := docker.ContainerExecCreate(ctx, id, config)
	if err != nil {
		return step("exec", err)
	}
	stream, err := docker.ContainerExecAttach(ctx, made.ID, types.ExecStartCheck{Tty: true})
	if err != nil {
		return step("exec attach", err)
	}
	defer stream.Close()
	// It has not asked for the output, which ends when the command does.
	if _, err := io.Copy(io.Discard, stream.Reader); err != nil {
		return step("the output of the exec", err)
	}
	ended, err := docker.ContainerExecInspect(ctx, made.ID)
	if err != nil {
		return step("exec inspect", err)
	}
	fmt.Println("ran, with code", ended.ExitCode)
	return nil
}

func stop(ctx context.Context, docker *client.Client, old types.ContainerJSON) error {
	if err := docker.ContainerKill(ctx, old.ID, "SIGKILL"); err != nil {
		return step("kill", err)
	}
	for {
		found, err := docker.ContainerInspect(ctx, old.ID)
		if err != nil {
			return step("inspect of what was killed", err)
		}
		if !found.State.Running {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := docker.ContainerRemove(ctx, old.ID, types.ContainerRemoveOptions{Force: true}); err != nil {
		return step("remove", err)
	}
	if _, err := docker.ContainerInspect(ctx, old.ID); !client.IsErrNotFound(err) {
		return fmt.Errorf("%s is still there: %v", old.Name, err)
	}
	return nil
}

// Makes the container anew from what was inspected, without what the old image had said. A create
// takes one network, the others are connected to afterwards.
func replace(ctx context.Context, docker *client.Client, old types.ContainerJSON, image types.ImageInspect) (string, error) {
	config, networks := old.Config, old.NetworkSettings.Networks
	for name, value := range image.Config.Labels {
		if config.Labels[name] == value {
			delete(config.Labels, name)
		}
	}
	var own []string
	for _, variable := range config.Env {
		if !contains(image.Config.Env, variable) {
			own = append(own, variable)
		}
	}
	config.Env = own
	if strings.Join(config.Cmd, "\x00") == strings.Join(image.Config.Cmd, "\x00") {
		config.Cmd = nil
	}
	names := make([]string, 0, len(networks))
	for name := range networks {
		names = append(names, name)
	}
	sort.Strings(names)
	first := map[string]*network.EndpointSettings{names[0]: networks[names[0]]}
	made, err := docker.ContainerCreate(ctx, config, old.HostConfig,
		&network.NetworkingConfig{EndpointsConfig: first}, nil, old.Name)
	if err != nil {
		return "", step("create", err)
	}
	for name := range first {
		if err := docker.NetworkDisconnect(ctx, name, made.ID, true); err != nil {
			return "", step("disconnect", err)
		}
	}
	for name, endpoint := range networks {
		if err := docker.NetworkConnect(ctx, name, made.ID, endpoint); err != nil {
			return "", step("connect", err)
		}
	}
	return made.ID, step("start", docker.ContainerStart(ctx, made.ID, types.ContainerStartOptions{}))
}
