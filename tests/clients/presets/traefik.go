package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"
)

// The provider for containers: all of them, and again at each event, until one of this name has died.
func traefik(ctx context.Context, arguments []string) error {
	docker, err := of("1.24")
	if err != nil {
		return err
	}
	if _, err := docker.ServerVersion(ctx); err != nil {
		return step("version", err)
	}
	if err := routes(ctx, docker); err != nil {
		return err
	}
	of := filters.NewArgs(filters.Arg("type", "container"))
	events, errors := docker.Events(ctx, types.EventsOptions{Filters: of})
	fmt.Println("watching")
	for {
		select {
		case event := <-events:
			name := event.Actor.Attributes["name"]
			if event.Action != "start" && event.Action != "die" {
				continue
			}
			fmt.Println(event.Action, name)
			if err := routes(ctx, docker); err != nil {
				return err
			}
			if event.Action == "die" && contains(arguments, name) {
				return nil
			}
		case err := <-errors:
			return step("events", err)
		}
	}
}

func routes(ctx context.Context, docker *client.Client) error {
	list, err := docker.ContainerList(ctx, types.ContainerListOptions{All: true})
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
		for name, network := range found.NetworkSettings.Networks {
			fmt.Println("route", strings.TrimPrefix(found.Name, "/"), name, network.IPAddress)
		}
	}
	return nil
}

// The provider for services, which asks again and again: here once.
func traefikSwarm(ctx context.Context, _ []string) error {
	docker, err := negotiating()
	if err != nil {
		return err
	}
	if _, err := docker.ServerVersion(ctx); err != nil {
		return step("version", err)
	}
	services, err := docker.ServiceList(ctx, types.ServiceListOptions{})
	if err != nil {
		return step("services", err)
	}
	scope := filters.NewArgs(filters.Arg("scope", "swarm"))
	if _, err := docker.NetworkList(ctx, types.NetworkListOptions{Filters: scope}); err != nil {
		return step("networks", err)
	}
	for _, service := range services {
		running := filters.NewArgs(filters.Arg("service", service.ID), filters.Arg("desired-state", "running"))
		tasks, err := docker.TaskList(ctx, types.TaskListOptions{Filters: running})
		if err != nil {
			return step("tasks", err)
		}
		for _, task := range tasks {
			if task.NodeID == "" {
				continue
			}
			node, _, err := docker.NodeInspectWithRaw(ctx, task.NodeID)
			if err != nil {
				return step("node", err)
			}
			fmt.Println("task of", service.Spec.Name, "at", node.Status.Addr)
		}
		fmt.Println("service", service.Spec.Name)
	}
	return nil
}
