package main

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"
)

// Diun looks which images are in use.
func diun(ctx context.Context, arguments []string) error {
	docker, err := negotiating()
	if err != nil {
		return err
	}
	if _, err := docker.ServerVersion(ctx); err != nil {
		return step("version", err)
	}
	running := filters.NewArgs(filters.Arg("status", "running"))
	list, err := docker.ContainerList(ctx, types.ContainerListOptions{Filters: running})
	if err != nil {
		return step("list", err)
	}
	for _, entry := range list {
		if len(entry.Names) == 0 || !contains(arguments, entry.Names[0]) {
			continue
		}
		image, _, err := docker.ImageInspectWithRaw(ctx, entry.Image)
		if err != nil {
			return step("image", err)
		}
		fmt.Println("uses", image.ID)
	}
	return nil
}

// Dozzle shows lists, logs and load, and learns by events what is new.
func dozzle(ctx context.Context, arguments []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	docker, err := negotiating()
	if err != nil {
		return err
	}
	if _, err := docker.Ping(ctx); err != nil {
		return step("ping", err)
	}
	if _, err := docker.Info(ctx); err != nil {
		return step("info", err)
	}
	if _, err := docker.ContainerList(ctx, types.ContainerListOptions{All: true}); err != nil {
		return step("list", err)
	}
	_, errors := docker.Events(ctx, types.EventsOptions{})
	select {
	case err := <-errors:
		return step("events", err)
	default:
	}
	for _, name := range arguments {
		found, err := docker.ContainerInspect(ctx, name)
		if err != nil {
			return step("inspect", err)
		}
		logs, err := docker.ContainerLogs(ctx, found.ID, types.ContainerLogsOptions{
			ShowStdout: true, ShowStderr: true, Follow: true, Tail: "300", Timestamps: true,
		})
		if err != nil {
			return step("logs", err)
		}
		reader, writer := io.Pipe()
		go func() {
			_, err := stdcopy.StdCopy(writer, io.Discard, logs)
			writer.CloseWithError(err)
		}()
		line, err := bufio.NewReader(reader).ReadString('\n')
		if err != nil {
			return step("a line of the log", err)
		}
		fmt.Print("log ", line)
		logs.Close()
		stats, err := docker.ContainerStats(ctx, found.ID, true)
		if err != nil {
			return step("stats", err)
		}
		if _, err := bufio.NewReader(stats.Body).ReadBytes('\n'); err != nil {
			return step("a line of the stats", err)
		}
		stats.Body.Close()
	}
	return nil
}

// cAdvisor asks what its machine runs on, and about each container that it finds in the cgroups.
func cadvisor(ctx context.Context, arguments []string) error {
	docker, err := negotiating()
	if err != nil {
		return err
	}
	if _, err := docker.Info(ctx); err != nil {
		return step("info", err)
	}
	if _, err := docker.ServerVersion(ctx); err != nil {
		return step("version", err)
	}
	if _, err := docker.ImageList(ctx, types.ImageListOptions{}); err != nil {
		return step("images", err)
	}
	for _, name := range arguments {
		found, err := docker.ContainerInspect(ctx, name)
		if err != nil {
			return step("inspect", err)
		}
		fmt.Println("container", found.Name)
	}
	return nil
}
