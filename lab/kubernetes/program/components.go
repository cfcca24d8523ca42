package main

import (
	"context"
	"fmt"
	"net"

	"github.com/spf13/cobra"
	cliflag "k8s.io/component-base/cli/flag"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	controlleroptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	scheduleroptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

func apiServerFlags(o *options, i *identity, etcdURL string) []string {
	reconciler := "lease"
	if net.ParseIP(o.bind).IsLoopback() {
		// A loopback address is refused as the endpoint of the service `kubernetes`.
		reconciler = "none"
	}
	return []string{
		"--bind-address=" + o.bind,
		"--advertise-address=" + o.bind,
		fmt.Sprintf("--secure-port=%d", o.port),
		"--etcd-servers=" + etcdURL,
		"--service-cluster-ip-range=" + o.serviceCIDR,
		"--authorization-mode=RBAC",
		"--token-auth-file=" + i.tokens,
		"--client-ca-file=" + i.authority.cert,
		"--tls-cert-file=" + i.server.cert, "--tls-private-key-file=" + i.server.key,
		"--kubelet-client-certificate=" + i.admin.cert, "--kubelet-client-key=" + i.admin.key,
		// The node has no name that anybody resolves: logs and exec go to its address.
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=" + issuer,
		"--service-account-key-file=" + i.serviceAccounts, "--service-account-signing-key-file=" + i.serviceAccounts,
		"--allow-privileged=true",
		"--endpoint-reconciler-type=" + reconciler,
		"--profiling=false",
	}
}

// The commands of the controller manager and the scheduler would take the process' signals a second time, which panics:
// so their options are read and run here.

func runControllerManager(ctx context.Context, o *options, i *identity) error {
	settings, err := controlleroptions.NewKubeControllerManagerOptions()
	if err != nil {
		return err
	}
	known, off, aliases := controllers.KnownControllers(), controllers.ControllersDisabledByDefault(), controllers.ControllerAliases()
	flags := settings.Flags(known, off, aliases)
	settings.ParsedFlags = &flags
	args := []string{
		"--kubeconfig=" + i.kubeconfig,
		"--secure-port=0",
		"--leader-elect=false",
		"--service-account-private-key-file=" + i.serviceAccounts,
		"--root-ca-file=" + i.authority.cert,
		"--profiling=false",
	}
	if o.podCIDR != "" {
		args = append(args, "--allocate-node-cidrs=true", "--cluster-cidr="+o.podCIDR,
			fmt.Sprintf("--node-cidr-mask-size=%d", o.nodeMask))
	}
	return runWithFlags(ctx, flags, args, func(ctx context.Context) error {
		config, err := settings.Config(ctx, known, off, aliases)
		if err != nil {
			return err
		}
		return controllers.Run(ctx, config.Complete())
	})
}

func runScheduler(ctx context.Context, i *identity) error {
	settings := scheduleroptions.NewOptions()
	args := []string{"--kubeconfig=" + i.kubeconfig, "--secure-port=0", "--leader-elect=false", "--profiling=false"}
	return runWithFlags(ctx, *settings.Flags, args, func(ctx context.Context) error {
		config, it, err := scheduler.Setup(ctx, settings)
		if err != nil {
			return err
		}
		return scheduler.Run(ctx, config, it)
	})
}

func runWithFlags(ctx context.Context, flags cliflag.NamedFlagSets, args []string, run func(context.Context) error) error {
	command := &cobra.Command{
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(command *cobra.Command, _ []string) error { return run(command.Context()) },
	}
	for _, set := range flags.FlagSets {
		command.Flags().AddFlagSet(set)
	}
	command.SetArgs(args)
	return command.ExecuteContext(ctx)
}
