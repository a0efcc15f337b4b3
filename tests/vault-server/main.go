// A real Vault for the tests: `vault server -dev` and the other commands, built from the Go module.
package main

import (
	"os"

	"github.com/hashicorp/vault/command"
)

func main() { os.Exit(command.Run(os.Args[1:])) }
