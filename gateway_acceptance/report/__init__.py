"""The views of the record: STATUS.md, status.json, JUnit and Allure. Each shows it; none judges anew."""
