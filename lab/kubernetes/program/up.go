package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

const (
	startDeadline = 120 * time.Second
	// So long the API server gets to end in order after a signal.
	stopDeadline = 3 * time.Second
	// A socket's path is at most 107 bytes long: unix(7).
	socketPathLimit = 107
)

type options struct {
	dir, bind, serviceCIDR, podCIDR, dns string
	port, nodeMask                       int
	controllerManager, scheduler         bool
	withParent                           bool
}

func parseOptions(args []string) (*options, error) {
	o := &options{}
	with := ""
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.StringVar(&o.dir, "dir", "", "folder for everything: data, keys, kubeconfig; made when it is missing")
	flags.StringVar(&o.bind, "bind", "127.0.0.1", "address of the API server")
	flags.IntVar(&o.port, "port", 0, "port of the API server, the only one that is opened")
	flags.StringVar(&with, "with", "", "what runs beside the API server: controller-manager, scheduler, or both with a comma")
	flags.StringVar(&o.serviceCIDR, "service-cidr", "10.96.0.0/16", "addresses of services")
	flags.StringVar(&o.podCIDR, "pod-cidr", "", "addresses of pods, shared out to the nodes; needs the controller manager")
	flags.IntVar(&o.nodeMask, "node-mask", 24, "size of each node's part of --pod-cidr")
	flags.StringVar(&o.dns, "dns", "", "host:port at which to answer for services' names; none by default")
	flags.BoolVar(&o.withParent, "with-parent", false, "end when standard input is closed")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	for _, name := range strings.Split(with, ",") {
		switch name {
		case "":
		case "controller-manager":
			o.controllerManager = true
		case "scheduler":
			o.scheduler = true
		default:
			return nil, fmt.Errorf("--with: there is no %q", name)
		}
	}
	if o.dir == "" || o.port < 1 || o.port > 65535 || flags.NArg() > 0 {
		return nil, errors.New("--dir and --port are needed, and nothing but flags")
	}
	if net.ParseIP(o.bind) == nil {
		return nil, fmt.Errorf("--bind: %q is no address", o.bind)
	}
	if o.podCIDR != "" && !o.controllerManager {
		return nil, errors.New("--pod-cidr needs --with controller-manager")
	}
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	o.dir = dir
	return o, nil
}

// up runs the region until it is told to end or a part of it fails.
func up(o *options) error {
	started := time.Now()
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	if o.withParent {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	identity, err := ensureIdentity(o)
	if err != nil {
		return err
	}
	etcd, etcdURL, err := startEtcd(o.dir)
	if err != nil {
		return err
	}
	defer etcd.Close()

	// The command sets up the process' signals, once; its context ends with the first of them.
	api := apiserver.NewAPIServerCommand()
	api.SetArgs(apiServerFlags(o, identity, etcdURL))
	ctx := api.Context()
	ended := make(chan error, 4)
	run := func(name string, part func(context.Context) error) {
		go func() { ended <- describe(name, part(ctx)) }()
	}
	run("kube-apiserver", api.ExecuteContext)

	config, err := clientcmd.BuildConfigFromFlags("", identity.kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := waitUntilReady(ctx, client, ended); err != nil {
		return err
	}
	if o.dns != "" {
		run("dns", func(ctx context.Context) error { return serveDNS(ctx, client, o.dns) })
	}
	if o.controllerManager {
		run("kube-controller-manager", func(ctx context.Context) error { return runControllerManager(ctx, o, identity) })
	}
	if o.scheduler {
		run("kube-scheduler", func(ctx context.Context) error { return runScheduler(ctx, identity) })
	}
	// Whoever started this waits for the line.
	fmt.Fprintf(os.Stderr, "argus-kubernetes: ready after %.2f s\n", time.Since(started).Seconds())

	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case <-ended:
	case <-time.After(stopDeadline):
	}
	return nil
}

func describe(name string, err error) error {
	if err == nil {
		return fmt.Errorf("%s ended", name)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// startEtcd runs the store of this one member. The API server reaches it through a socket in the folder, which only its
// owner may enter: it asks for no password. Nothing is synced to the disk; a kill of the process loses nothing.
func startEtcd(dir string) (*embed.Etcd, string, error) {
	client, err := socketIn(dir, "etcd.sock")
	if err != nil {
		return nil, "", err
	}
	// No other member ever comes.
	peer, err := socketIn(dir, "peer.sock")
	if err != nil {
		return nil, "", err
	}
	// For a peer's socket etcd takes the host alone.
	clients, peers := url.URL{Scheme: "unix", Path: client}, url.URL{Scheme: "unix", Host: peer}
	config := embed.NewConfig()
	config.Dir = filepath.Join(dir, "etcd")
	config.Name = "region"
	// Nobody is told of these; they must look like addresses all the same.
	nobody := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{clients}, []url.URL{nobody}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peers}, []url.URL{nobody}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.UnsafeNoFsync = true
	config.LogLevel = "error"
	config.AutoCompactionMode, config.AutoCompactionRetention = "periodic", "1h"
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, "", describe("etcd", err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, clients.String(), nil
	case <-time.After(startDeadline):
		etcd.Close()
		return nil, "", fmt.Errorf("etcd was not ready after %s", startDeadline)
	}
}

// socketIn is a socket's path; one that a killed process left is removed.
func socketIn(dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	if len(path) > socketPathLimit {
		return "", fmt.Errorf("--dir is too long for a socket in it: %s", path)
	}
	return path, os.RemoveAll(path)
}

func waitUntilReady(ctx context.Context, client kubernetes.Interface, ended <-chan error) error {
	deadline := time.After(startDeadline)
	for {
		select {
		case err := <-ended:
			return err
		case <-deadline:
			return fmt.Errorf("the API server was not ready after %s", startDeadline)
		case <-time.After(50 * time.Millisecond):
		}
		if _, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err == nil {
			return nil
		}
	}
}
