// SPDX-License-Identifier: Apache-2.0

//! Options of workers that ask a language model.

use tos_sdk::{
    error::{Error, Result},
    http::Http,
};

use tos_workers::tasks::{existing_program, Endpoint, ModelOptions, Program};

/// Options of a language model.
#[derive(clap::Args)]
pub struct ModelArgs {
    /// The model to ask for. [default: the only one that the endpoint has]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The environment variable that holds the endpoint's key.
    #[arg(long, value_name = "VARIABLE")]
    api_key_env: Option<String>,
    /// The most tokens of a reply. A reply that is cut off there is a failure. [default: the
    /// endpoint's]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: Option<u32>,
    /// Temperature of the model, 0 to 2: the freedom with which it chooses its words. [default: the endpoint's]
    #[arg(long, value_name = "NUMBER", value_parser = temperature)]
    temperature: Option<f64>,
}

impl ModelArgs {
    /// The solver or judge that this command, or the endpoint at this URL, makes. `name` is that of
    /// the options which say so.
    pub async fn program(
        self,
        name: &str,
        command: Option<String>,
        url: Option<&str>,
    ) -> Result<Program> {
        let endpoint = self.endpoint(url).await?;
        let command = command
            .map(|command| existing_program(&format!("--{name}-cmd"), command))
            .transpose()?;
        let program = command.map(Program::Command);
        let program = program.or_else(|| endpoint.map(Program::Endpoint));
        program.ok_or_else(|| Error::Usage(format!("say --{name}-cmd or --{name}-url")))
    }

    /// The endpoint at `url`, once it is known to have the model; or nothing without a URL, with
    /// which these options make no sense.
    async fn endpoint(self, url: Option<&str>) -> Result<Option<Endpoint>> {
        let Some(url) = url else {
            let given = [
                ("--model", self.model.is_some()),
                ("--api-key-env", self.api_key_env.is_some()),
                ("--max-tokens", self.max_tokens.is_some()),
                ("--temperature", self.temperature.is_some()),
            ];
            return match given.iter().find(|(_, given)| *given) {
                None => Ok(None),
                Some((name, _)) => Err(Error::Usage(format!(
                    "{name} is about a language model: give its endpoint with --solver-url or \
                     --judge-url, or leave {name} out"
                ))),
            };
        };
        let api_key = self.api_key_env.map(|name| {
            std::env::var(&name)
                .ok()
                .filter(|key| !key.trim().is_empty())
                .ok_or_else(|| Error::Usage(format!("the variable {name} is not set, or empty")))
        });
        let options = ModelOptions {
            model: self.model,
            api_key: api_key.transpose()?,
            max_tokens: self.max_tokens,
            temperature: self.temperature,
        };
        let endpoint = Endpoint::new(url, options)?;
        endpoint.prepare(&Http::new()?).await?;
        Ok(Some(endpoint))
    }
}

fn temperature(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=2.0).contains(&value) {
        Ok(value)
    } else {
        Err("not from 0 to 2".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_are_from_0_to_2() {
        assert_eq!(temperature("0"), Ok(0.0));
        assert_eq!(temperature("1.5"), Ok(1.5));
        for bad in ["", "hot", "-0.1", "2.1", "NaN", "inf"] {
            assert!(temperature(bad).is_err(), "{bad}");
        }
    }
}
