// Reads documents with encoding/json, into types like moby's, as the Docker Engine does.
//
// Input: a letter, then the document and its canonical form, each after its length in four bytes.
// M: a create, as engines from 27 on read it. L: as engines up to 26 do. X: an exec. S: a service.
// No canonical form: refused; would Go have read it?
// E: the end of a batch, which is answered by "done" and how many of the refused Go would have read.
// A difference is answered by a line that shows it.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
)

// StrSlice is a string or a list of them.
type StrSlice []string

func (e *StrSlice) UnmarshalJSON(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	p := make([]string, 0, 1)
	if err := json.Unmarshal(b, &p); err != nil {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		p = append(p, s)
	}
	*e = p
	return nil
}

type HealthConfig struct {
	Test     []string `json:",omitempty"`
	Interval int64    `json:",omitempty"`
}

type Config struct {
	Hostname    string
	User        string
	Tty         bool
	Env         []string
	Cmd         StrSlice
	Healthcheck *HealthConfig `json:",omitempty"`
	Image       string
	Labels      map[string]string
	StopTimeout *int `json:",omitempty"`
}

type LogConfig struct {
	Type   string
	Config map[string]string
}

type RestartPolicy struct {
	Name              string
	MaximumRetryCount int
}

type PortBinding struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

type DeviceMapping struct {
	PathOnHost        string
	CgroupPermissions string
}

type Resources struct {
	CPUShares  int64 `json:"CpuShares"`
	Memory     int64
	MemorySwap int64
	CpusetCpus string
	Devices    []DeviceMapping
}

type VolumeOptions struct {
	NoCopy bool              `json:",omitempty"`
	Labels map[string]string `json:",omitempty"`
}

type Mount struct {
	Type          string         `json:",omitempty"`
	Source        string         `json:",omitempty"`
	Target        string         `json:",omitempty"`
	ReadOnly      bool           `json:",omitempty"`
	VolumeOptions *VolumeOptions `json:",omitempty"`
}

type HostConfig struct {
	Binds         []string
	LogConfig     LogConfig
	NetworkMode   string
	PortBindings  map[string][]PortBinding
	RestartPolicy RestartPolicy
	VolumeDriver  string
	CapAdd        StrSlice
	Privileged    bool
	Sysctls       map[string]string `json:",omitempty"`
	Resources
	Mounts []Mount `json:",omitempty"`
	Init   *bool   `json:",omitempty"`
}

type EndpointSettings struct {
	Aliases   []string
	NetworkID string
}

type NetworkingConfig struct {
	EndpointsConfig map[string]*EndpointSettings
}

type ExecConfig struct {
	User       string
	Privileged bool
	Tty        bool
	Detach     bool
	DetachKeys string
	Env        []string
	WorkingDir string
	Cmd        []string
}

type SELinuxContext struct {
	Disable bool
}

type Privileges struct {
	SELinuxContext *SELinuxContext
}

type SecretReference struct {
	SecretID   string
	SecretName string
}

type ContainerSpec struct {
	Image           string            `json:",omitempty"`
	Labels          map[string]string `json:",omitempty"`
	Command         []string          `json:",omitempty"`
	Env             []string          `json:",omitempty"`
	User            string            `json:",omitempty"`
	Privileges      *Privileges       `json:",omitempty"`
	TTY             bool              `json:",omitempty"`
	Mounts          []Mount           `json:",omitempty"`
	StopGracePeriod *int64            `json:",omitempty"`
	Secrets         []*SecretReference
	Sysctls         map[string]string `json:",omitempty"`
	CapabilityAdd   []string          `json:",omitempty"`
}

type Limit struct {
	MemoryBytes int64 `json:",omitempty"`
}

type ResourceRequirements struct {
	Limits *Limit `json:",omitempty"`
}

type NetworkAttachmentConfig struct {
	Target     string            `json:",omitempty"`
	DriverOpts map[string]string `json:",omitempty"`
}

type Driver struct {
	Name    string            `json:",omitempty"`
	Options map[string]string `json:",omitempty"`
}

type TaskSpec struct {
	ContainerSpec *ContainerSpec            `json:",omitempty"`
	Resources     *ResourceRequirements     `json:",omitempty"`
	Networks      []NetworkAttachmentConfig `json:",omitempty"`
	LogDriver     *Driver                   `json:",omitempty"`
	ForceUpdate   uint64
}

type ReplicatedService struct {
	Replicas *uint64 `json:",omitempty"`
}

type ServiceMode struct {
	Replicated *ReplicatedService `json:",omitempty"`
}

type PortConfig struct {
	Protocol      string `json:",omitempty"`
	PublishedPort uint32 `json:",omitempty"`
	PublishMode   string `json:",omitempty"`
}

type EndpointSpec struct {
	Mode  string       `json:",omitempty"`
	Ports []PortConfig `json:",omitempty"`
}

type Annotations struct {
	Name   string            `json:",omitempty"`
	Labels map[string]string `json:"Labels"`
}

type ServiceSpec struct {
	Annotations
	TaskTemplate TaskSpec      `json:",omitempty"`
	Mode         ServiceMode   `json:",omitempty"`
	EndpointSpec *EndpointSpec `json:",omitempty"`
}

// Modern is what engines from 27 on read.
type Modern struct {
	*Config
	HostConfig       *HostConfig       `json:"HostConfig,omitempty"`
	NetworkingConfig *NetworkingConfig `json:"NetworkingConfig,omitempty"`
}

// Legacy is what engines up to 26 read.
type Legacy struct {
	*Config
	InnerHostConfig  *HostConfig       `json:"HostConfig,omitempty"`
	Cpuset           string            `json:",omitempty"`
	NetworkingConfig *NetworkingConfig `json:"NetworkingConfig,omitempty"`
	*HostConfig
}

func (w *Legacy) hostConfig() *HostConfig {
	hc := w.HostConfig
	if hc == nil && w.InnerHostConfig != nil {
		hc = w.InnerHostConfig
	} else if w.InnerHostConfig != nil {
		inner := w.InnerHostConfig
		if hc.Memory != 0 && inner.Memory == 0 {
			inner.Memory = hc.Memory
		}
		if hc.MemorySwap != 0 && inner.MemorySwap == 0 {
			inner.MemorySwap = hc.MemorySwap
		}
		if hc.CPUShares != 0 && inner.CPUShares == 0 {
			inner.CPUShares = hc.CPUShares
		}
		if hc.CpusetCpus != "" && inner.CpusetCpus == "" {
			inner.CpusetCpus = hc.CpusetCpus
		}
		if hc.VolumeDriver != "" && inner.VolumeDriver == "" {
			inner.VolumeDriver = hc.VolumeDriver
		}
		hc = inner
	}
	if hc != nil && w.Cpuset != "" && hc.CpusetCpus == "" {
		hc.CpusetCpus = w.Cpuset
	}
	return hc
}

func read(kind byte, text []byte) (interface{}, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if kind == 'L' {
		var w Legacy
		err := decoder.Decode(&w)
		return &Modern{w.Config, w.hostConfig(), w.NetworkingConfig}, err
	}
	var w interface{}
	switch kind {
	case 'M':
		w = &Modern{}
	case 'X':
		w = &ExecConfig{}
	case 'S':
		w = &ServiceSpec{}
	default:
		panic(fmt.Sprintf("there is no kind %q", kind))
	}
	err := decoder.Decode(w)
	return w, err
}

// difference says what is wrong; nothing is where Go reads one and the same from both, and a hook
// that goes by the book finds it in the canonical form.
func difference(kind byte, text, canonical []byte) string {
	before, errBefore := read(kind, text)
	after, errAfter := read(kind, canonical)
	if (errBefore != nil) != (errAfter != nil) {
		return fmt.Sprintf("%v became %v", errBefore, errAfter)
	}
	if errBefore != nil {
		return ""
	}
	// All that is empty is nothing: a list that was moved may be told from none only by that.
	if !reflect.DeepEqual(before, after) {
		return "Go reads another body"
	}
	var book interface{}
	decoder := json.NewDecoder(bytes.NewReader(canonical))
	decoder.UseNumber()
	if err := decoder.Decode(&book); err != nil {
		return err.Error()
	}
	if where := unlike(reflect.ValueOf(after).Elem(), book); where != "" {
		return "hooks read otherwise at " + where
	}
	return ""
}

// unlike names where a value is not what stands in the book under its very name.
func unlike(v reflect.Value, book interface{}) string {
	if v.Kind() == reflect.Ptr {
		if v.IsNil() {
			return unless(book == nil, "a value that Go does not see")
		}
		return unlike(v.Elem(), book)
	}
	if book == nil {
		empty := v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
		return unless(empty, "a value that hooks do not see")
	}
	switch v.Kind() {
	case reflect.Struct:
		members, ok := book.(map[string]interface{})
		if !ok {
			return "a struct"
		}
		return unlikeFields(v, members)
	case reflect.Map:
		members, ok := book.(map[string]interface{})
		if !ok || len(members) != v.Len() {
			return "a map"
		}
		for _, key := range v.MapKeys() {
			if where := unlike(v.MapIndex(key), members[key.String()]); where != "" {
				return key.String() + "." + where
			}
		}
		return ""
	case reflect.Slice:
		items, ok := book.([]interface{})
		if !ok {
			items = []interface{}{book}
		}
		if len(items) != v.Len() {
			return "a list"
		}
		for i := range items {
			if where := unlike(v.Index(i), items[i]); where != "" {
				return strconv.Itoa(i) + "." + where
			}
		}
		return ""
	case reflect.String:
		return unless(book == v.String(), "a string")
	case reflect.Bool:
		return unless(book == v.Bool(), "a flag")
	case reflect.Uint32, reflect.Uint64:
		number, ok := book.(json.Number)
		n, err := strconv.ParseUint(string(number), 10, 64)
		return unless(ok && err == nil && n == v.Uint(), "a number")
	default:
		number, ok := book.(json.Number)
		n, err := strconv.ParseInt(string(number), 10, 64)
		return unless(ok && err == nil && n == v.Int(), "a number")
	}
}

func unlikeFields(v reflect.Value, members map[string]interface{}) string {
	for i := 0; i < v.NumField(); i++ {
		field := v.Type().Field(i)
		if field.Anonymous {
			inner := v.Field(i)
			if inner.Kind() == reflect.Ptr && inner.IsNil() {
				inner = reflect.New(field.Type.Elem())
			}
			if inner.Kind() == reflect.Ptr {
				inner = inner.Elem()
			}
			if where := unlikeFields(inner, members); where != "" {
				return where
			}
			continue
		}
		name := strings.Split(field.Tag.Get("json"), ",")[0]
		if name == "" {
			name = field.Name
		}
		if where := unlike(v.Field(i), members[name]); where != "" {
			return name + "." + where
		}
	}
	return ""
}

func unless(same bool, words string) string {
	if same {
		return ""
	}
	return words
}

func part(input io.Reader) []byte {
	var length uint32
	if err := binary.Read(input, binary.BigEndian, &length); err != nil {
		panic(err)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(input, text); err != nil {
		panic(err)
	}
	return text
}

func main() {
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	strict := 0
	for {
		kind, err := input.ReadByte()
		if err != nil {
			return
		}
		if kind == 'E' {
			fmt.Println("done", strict)
			strict = 0
			continue
		}
		text, canonical := part(input), part(input)
		if len(canonical) == 0 {
			if _, err := read(kind, text); err == nil {
				strict++
			}
			continue
		}
		if words := difference(kind, text, canonical); words != "" {
			fmt.Printf("%c: %s: %q became %q\n", kind, words, text, canonical)
		}
	}
}
