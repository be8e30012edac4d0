// What programs that people put behind a guarded socket ask of a Docker Engine, in their order and
// by the library that they use: the Docker Engine's own Go client. One program, whose first argument
// is the one that it stands for. tests/tests/preset_clients.rs runs it and records its calls.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sort"

	"github.com/docker/docker/client"
)

var programs = map[string]func(ctx context.Context, arguments []string) error{
	"traefik":       traefik,
	"traefik-swarm": traefikSwarm,
	"watchtower":    watchtower,
	"portainer":     portainer,
	"diun":          diun,
	"dozzle":        dozzle,
	"cadvisor":      cadvisor,
}

func main() {
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		names := make([]string, 0, len(programs))
		for name := range programs {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintln(os.Stderr, "usage: presets PROGRAM ARGUMENT…; PROGRAM is one of", names)
		os.Exit(2)
	}
	if err := programs[os.Args[1]](context.Background(), os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, os.Args[1]+":", err)
		os.Exit(1)
	}
}

// Most of them agree with the engine on a version.
func negotiating() (*client.Client, error) {
	return client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
}

// The others were built for one.
func of(version string) (*client.Client, error) {
	return client.NewClientWithOpts(client.FromEnv, client.WithVersion(version))
}

// A step that fails says which one it was.
func step(name string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// A pull, a push or a build is over when its progress has been read.
func drain(name string, stream io.ReadCloser, err error) error {
	if err != nil {
		return step(name, err)
	}
	defer stream.Close()
	_, err = io.Copy(io.Discard, stream)
	return step(name, err)
}

func contains(names []string, name string) bool {
	for _, other := range names {
		if other == name {
			return true
		}
	}
	return false
}
